# SPDX-License-Identifier: MIT
# For all bats files: the program under test, simulated readers, nothing of the user's.
load /usr/lib/bats/bats-support/load.bash
load /usr/lib/bats/bats-assert/load.bash

: "${SCARD_BIN:?set it to the program under test}"

# No session, configuration, history or reader of whoever runs the tests.
clean_environment() {
    unset SCARD_READER SCARD_SESSION NO_COLOR
    export SCARD_SERVICE=local SCARD_READERS=sim:iso
    export XDG_CONFIG_HOME=$BATS_TEST_TMPDIR XDG_STATE_HOME=$BATS_TEST_TMPDIR XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run
    # Sessions and sockets are kept where nobody else comes, or in a place that all tests would share.
    mkdir -pm 700 "$XDG_RUNTIME_DIR"
}

setup() {
    clean_environment
}

scard() {
    "$SCARD_BIN" "$@"
}

# What a command prints on a terminal, without the carriage returns.
on_terminal() {
    TERM=xterm script -qec "$(printf '%q ' "$SCARD_BIN" "$@")" /dev/null </dev/null | tr -d '\r'
    return "${PIPESTATUS[0]}"
}

# Lines for `scard shell`, which is a batch when they come from a pipe.
in_shell() {
    printf '%s\n' "$@" | "$SCARD_BIN" shell
}

# stderr and stdout apart: run_apart COMMAND; then $output and $errors.
run_apart() {
    run bash -c '"$@" 2>"$0"' "$BATS_TEST_TMPDIR/errors" "$@"
    errors=$(<"$BATS_TEST_TMPDIR/errors")
}

# Runs the expect script on standard input, in the current directory; terminal.tcl has its words.
typing() {
    { echo "source \"$BATS_TEST_DIRNAME/terminal.tcl\""; cat; } >typing.exp
    run timeout 100 expect -f typing.exp
}
