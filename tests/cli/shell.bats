#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# scard shell without a terminal: a batch.

load helper

bats_require_minimum_version 1.5.0

setup() {
    clean_environment
    cd "$BATS_TEST_TMPDIR" || return
    export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
}

# batch LINE…: the lines through a pipe.
batch() {
    local text
    printf -v text '%s\n' "$@"
    run --separate-stderr "$SCARD_BIN" shell <<<"$text"
}

@test "no prompt, no banner, no history" {
    batch 00A4000C023F00 'groups'
    assert_success
    assert_equal "${#lines[@]}" 2
    assert_line --index 0 9000
    assert_equal "$stderr" ''
    assert [ ! -e state ]
}

@test "the card stays as the line before left it" {
    batch 00A4000C022FE2 00B0000000 begin end
    assert_success
    assert_line --index 1 --regexp '..9000$'
}

@test "the first failure ends it with its exit status, and the line is named" {
    batch 00A4000C023F00 '# comment' 00A4000C023FFF groups
    assert_failure 1
    assert_equal "$output" $'9000\n6A82'
    assert_regex "$stderr" '^scard: standard input:3: '
    batch nonsense
    assert_failure 2
    batch 00A4000C023F
    assert_failure 2
    assert_regex "$stderr" '^scard: standard input:1: '
}

@test "exit ends it" {
    batch 'exit 9' nonsense
    assert_failure 9
    batch quit nonsense
    assert_success
}

@test "a shell in a shell is an error" {
    batch shell
    assert_failure 2
}

@test "each line is run as it comes" {
    coproc "$SCARD_BIN" shell
    echo 00A4000C023F00 >&"${COPROC[1]}"
    read -r answer <&"${COPROC[0]}"
    assert_equal "$answer" 9000
    echo 00A4000C023FFF=6A82 >&"${COPROC[1]}"
    read -r answer <&"${COPROC[0]}"
    assert_equal "$answer" 6A82
    eval "exec ${COPROC[1]}>&-"
    wait "$COPROC_PID"
}

@test "commands stand without the name of the program" {
    batch 'scard list'
    assert_failure 2
    [[ $stderr == *'without "scard"'* ]]
}
