#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What a shell at a terminal tells of other programs that use its card, at a server between them.
load helper

setup() {
    clean_environment
    cd "$BATS_TEST_TMPDIR" || return
    export TERM=xterm NO_COLOR=1 INPUTRC=/dev/null
    mkfifo ready
    "$SCARD_BIN" --json serve --socket "$PWD/comm" >ready 2>log 3>&- &
    server=$!
    exec 4<ready
    read -r line <&4
    [[ $line == *'"t":"serving"'* ]]
    export SCARD_SERVICE=unix:$PWD/comm
    unset SCARD_READERS
}

# So that no test leaves a server behind.
teardown() {
    [ -z "${server:-}" ] || kill -KILL "$server" 2>/dev/null || true
}

@test "a card that another program resets is told at once, above the line being typed" {
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "00A4000C023F00\r"
    see {9000.*\[card T=1\]> $}
    send "status -r scard"
    see {status -r scard$}
    exec $env(SCARD_BIN) reset 2>@1
    see {the card was reset by another program.*\[!\]> status -r scard$}
    send "\003"
    see {\^C.*\[!\]> $}
    send "reconnect\r"
    see_without {was reset} {\[card T=1\]> $}
    # And again: it is the state of the new connection that counts.
    exec $env(SCARD_BIN) reset 2>@1
    see {the card was reset by another program.*\[!\]> $}
    send "exit\r"
    ended 0
TCL
    assert_success
}

@test "a reset is told in the middle of a line and of a search, and the cursor stays" {
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "00A4000C023F00\r"
    see {9000.*\[card T=1\]> $}
    send "valid --jsn\002"
    see "\010$"
    exec $env(SCARD_BIN) reset 2>@1
    see {the card was reset by another program.*\[!\]> valid --js}
    send "o\r"
    see {"t":"context".*\[!\]> $}
    send "reconnect\r"
    see {\[card T=1\]> $}
    send "\02200A4"
    see {4': }
    exec $env(SCARD_BIN) reset 2>@1
    see {the card was reset by another program}
    send "\r"
    see {> $}
    send "exit\r"
    ended 0
TCL
    assert_success
}

@test "a transaction of another program holds the card, not the prompt" {
    run scard --session other connect
    assert_success
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "00A4000C023F00\r"
    see {9000.*\[card T=1\]> $}
    exec $env(SCARD_BIN) --session other begin
    send "val"
    see {val$}
    send "id\r"
    see {context is valid.*\[card T=1\]> $}
    exec $env(SCARD_BIN) --session other end --card reset
    see {the card was reset by another program.*\[!\]> $}
    send "exit\r"
    ended 0
TCL
    assert_success
    scard --session other release
}

@test "an event takes the hint behind the line away and puts it back" {
    unset NO_COLOR
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "00A4000C023F00\r"
    see {9000.*\]> $}
    send "00A4"
    see {to come\e\[0m\e\[\d+D$}
    exec $env(SCARD_BIN) reset 2>@1
    see {reset by another program.*\[!\]> 00A4.*to come\e\[0m\e\[\d+D$}
    shows 120 {* the card was reset by another program: its state is lost; go on with "reconnect"} \
        {scard sim:iso 00 00 [!]> 00A4  SELECT, 2 bytes of the header to come}
    send "\025exit\r"
    ended 0
TCL
    assert_success
}
