#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What comes from outside: files that have no end, are no files, or are somebody else's; descriptors that are not
# the caller's; scripts that run themselves; cards without a status word.
load helper
load session_functions

setup() {
    clean_environment
    printf '1234\n' >"$BATS_TEST_TMPDIR/pin"
}

@test "data, scripts, lines and secrets that have no end are refused" {
    run scard apdu d6:@/dev/zero
    assert_failure 2
    assert_output --partial "/dev/zero has more than the 65535 bytes that fit. Nothing was sent."
    run scard run /dev/zero
    assert_failure 2
    assert_output --partial "cannot run this script: /dev/zero has more than"
    run bash -c '"$SCARD_BIN" run - </dev/zero'
    assert_failure 2
    assert_output --partial "a line has more than 1048576 bytes"
    run bash -c '"$SCARD_BIN" apdu - </dev/zero'
    assert_failure 2
    run scard apdu --pin-file /dev/zero '200001:{pin}'
    assert_failure 2
    assert_output --partial "the secret has more than"
}

@test "65,535 bytes of a file are data still" {
    head -c 65535 /dev/zero >"$BATS_TEST_TMPDIR/data"
    run scard apdu "d6:@$BATS_TEST_TMPDIR/data=xxxx"
    assert_success
    printf x >>"$BATS_TEST_TMPDIR/data"
    run scard apdu "d6:@$BATS_TEST_TMPDIR/data=xxxx"
    assert_failure 2
}

@test "a file that is not there is a mistake in what was asked for" {
    run scard apdu d6:@/nowhere
    assert_failure 2
    assert_output --partial "cannot open /nowhere: No such file or directory. Nothing was sent."
    run scard run /nowhere
    assert_failure 2
    run scard run /
    assert_failure 2
    assert_output --partial "Is a directory"
}

@test "Ctrl-C ends the wait for a secret from a FIFO that nobody writes" {
    mkfifo "$BATS_TEST_TMPDIR/fifo"
    run timeout --preserve-status -s INT 1 "$SCARD_BIN" apdu --pin-file "$BATS_TEST_TMPDIR/fifo" '200001:{pin}'
    assert_failure
    refute_output --partial 9000
    assert [ "$status" -ne 137 ]
}

@test "--pin-fd: only descriptors that the caller has opened for reading" {
    local fd

    for fd in 1 3 4 5 6 9 99; do
        run bash -c 'timeout 10 "$SCARD_BIN" apdu --pin-fd "$0" "200001:{pin}=" </dev/null 3>&- 4>&- 5>&- 6>&- 9>&- >/dev/full' "$fd"
        assert_failure 2
        assert_output --partial "--pin-fd: $fd is no descriptor that is open for reading"
    done
}

@test "--pin-fd in a session is the caller's descriptor" {
    export SCARD_SESSION=own
    scard connect -r 0 >/dev/null
    run bash -c 'exec 7<"$0"; "$SCARD_BIN" apdu --pin-fd 7 "200001:{pin}="' "$BATS_TEST_TMPDIR/pin"
    assert_success
    assert_output 9000
    run bash -c '"$SCARD_BIN" apdu --pin-fd 0 "200001:{pin}=" <"$0"' "$BATS_TEST_TMPDIR/pin"
    assert_success
    run bash -c 'exec 4<&- 5<&-; timeout 10 "$SCARD_BIN" apdu --pin-fd 4 "200001:{pin}="'
    assert_failure 2
    assert_output --partial "--pin-fd: 4 is no descriptor"
    run bash -c 'timeout 10 "$SCARD_BIN" run -c "apdu --pin-fd 4 200001:{pin}=" 4<"$0"' "$BATS_TEST_TMPDIR/pin"
    assert_failure 2
    scard release
}

@test "a script that runs itself ends with a sentence" {
    printf 'run %s\n' "$BATS_TEST_TMPDIR/self" >"$BATS_TEST_TMPDIR/self"
    run scard run "$BATS_TEST_TMPDIR/self"
    assert_failure 2
    assert_output --partial "does one run itself?"
}

@test "an answer without a status word is a failure of the exchange" {
    export SCARD_READERS=sim:odd
    run scard apdu 80160000=xxxx
    assert_failure 9
    assert_output --partial "answered 0 bytes, which holds no status word"
    run scard apdu 80160001=0000
    assert_failure 9
    assert_output --partial "answered 1 byte, which holds no status word"
    run scard apdu 80160002
    assert_success
}

@test "no control character of a name reaches the output, be it of one byte or two" {
    SCARD_READERS='sim:iso?serial=%1B%9B%C2%9B%C3%A9%7F' run scard list
    assert_success
    refute_output --partial $'\033'
    refute_output --partial $'\302\233'
    assert_output --partial $'\303\251'
}

@test "output that cannot be written is told on the other stream, also with --json" {
    run bash -c '"$SCARD_BIN" list --json >/dev/full'
    assert_failure 9
    assert_output --partial "cannot write the output: No space left on device"
}

@test "a reader without -r: the error tells how one is named" {
    for command in status info count "card list"; do
        run scard $command 0
        assert_failure 2
        assert_output --partial "does not take \"0\". A reader is named with -r."
    done
    run scard version 0
    assert_output --partial "scard help version"
}

@test "a PIN in a word that a command does not take is not repeated" {
    run scard list 200001:3734383339323631
    assert_failure 2
    assert_output --partial 'list does not take "200001:**"'
}

@test "a configuration that has no end is refused" {
    unset SCARD_READERS
    SCARD_CONFIG=/dev/zero run scard list
    assert_failure 3
    assert_output --partial "/dev/zero has more than 16777216 bytes"
}
