#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

# Starts `scard ARGUMENTS` in the background, its output in $log, and returns once it watches.
start_watch() {
    log=$BATS_TEST_TMPDIR/log
    ready=$BATS_TEST_TMPDIR/ready
    mkfifo "$ready"
    "$SCARD_BIN" --json watch "$@" >"$ready" 3>&- &
    watcher=$!
    exec 4<"$ready"
    read -r line <&4
    [[ $line == *'"t":"watching"'* ]]
    read -r line <&4
    [[ $line == *'"t":"present"'* ]]
}

@test "a card comes and goes" {
    export SCARD_READERS="sim:iso?presence=$BATS_TEST_TMPDIR/card"
    start_watch --count 2 --timeout 20
    touch "$BATS_TEST_TMPDIR/card"
    read -r line <&4
    [[ $line == *'"what":"card-in","reader":"scard sim:iso 00 00","atr":"3B'* ]]
    rm "$BATS_TEST_TMPDIR/card"
    read -r line <&4
    [[ $line == *'"what":"card-out"'* ]]
    wait $watcher
}

@test "--only leaves the other events out, and does not count them" {
    export SCARD_READERS="sim:iso?presence=$BATS_TEST_TMPDIR/card"
    start_watch --count 1 --timeout 20 --only card-out --only reader-out
    touch "$BATS_TEST_TMPDIR/card"
    scard wait -q --timeout 20
    rm "$BATS_TEST_TMPDIR/card"
    read -r line <&4
    [[ $line == *'"what":"card-out"'* ]]
    wait $watcher
    run scard watch --only lunch
    assert_failure 2
}

@test "--timeout ends it: done, or 10 when a --count was not reached" {
    run scard watch --timeout 10ms
    assert_success
    run scard watch --timeout 10ms --count 1
    assert_failure 10
}

@test "SIGINT ends it: status 130" {
    start_watch
    kill -INT $watcher
    result=0
    wait $watcher || result=$?
    [ "$result" -eq 130 ]
}

@test "a pipe whose reader has gone ends it: status 141" {
    run timeout 20 bash -c '"$SCARD_BIN" --json watch | head -n 1; echo "${PIPESTATUS[0]}"'
    assert_line --index 0 --partial '"t":"watching"'
    assert_line --index 1 141
    refute_line --partial interrupted
}

@test "what is there is said first, in JSON as a record of its own" {
    run scard --json watch --timeout 10ms
    assert_success
    assert_line --index 1 --partial '"t":"present","reader":"scard sim:iso 00 00","state":"card"'
    assert_line --index 1 --partial '"atr":"3B'
    # A pipe gets events alone.
    run scard watch --timeout 10ms
    assert_output ""
    run on_terminal watch --timeout 10ms
    assert_line --partial "scard sim:iso 00 00: card  3B"
}

@test "Ctrl-C is how it ends: nothing is said of it" {
    "$SCARD_BIN" watch >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/errors" 3>&- &
    watcher=$!
    # Once it has readers it waits.
    until ls -l "/proc/$watcher/fd" 2>/dev/null | grep -q eventpoll; do :; done
    kill -INT $watcher
    result=0
    wait $watcher || result=$?
    [ "$result" -eq 130 ]
    [ ! -s "$BATS_TEST_TMPDIR/errors" ]
}
