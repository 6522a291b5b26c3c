#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# valid, establish, release, cancel in a shell; global options.
load helper

@test "valid: the service works" {
    run scard valid
    assert_success
    assert_output valid
}

@test "a service that is not there is status 3" {
    SCARD_SERVICE=nonsense run scard valid
    assert_failure 3
    assert_output --partial nonsense
}

@test "establish, valid, release, valid" {
    run in_shell establish valid release
    assert_success
    assert_line valid
    run in_shell release
    assert_failure 2
    run in_shell valid
    assert_failure 3
    assert_output --partial "Open one: establish"
}

@test "release ends the connection, and the next command opens a context again" {
    run in_shell connect release status
    assert_success
    assert_line $'connected\tno'
}

@test "cancel without a wait is harmless" {
    run in_shell establish cancel valid
    assert_success
}

@test "mistyped commands and options get a suggestion" {
    run scard lsit
    assert_failure 2
    assert_output --partial 'did you mean "list"'
    run scard list --jsno
    assert_failure 2
    assert_output --partial 'did you mean --json'
    run scard --nonsense
    assert_failure 2
}

@test "values are checked" {
    run scard --timeout soon list
    assert_failure 2
    run scard --share nobody list
    assert_failure 2
    assert_output --partial "shared|exclusive|direct"
    run scard list --json=yes
    assert_failure 2
    run scard list -r
    assert_failure 2
}

@test "a configuration file with an error: the line is named" {
    printf 'readers = (\n  sim:iso\n);\n' >"$BATS_TEST_TMPDIR/scard.conf"
    unset SCARD_READERS
    mkdir -p "$BATS_TEST_TMPDIR/scard"
    cp "$BATS_TEST_TMPDIR/scard.conf" "$BATS_TEST_TMPDIR/scard/scard.conf"
    run scard list
    assert_failure 3
    assert_output --partial "line 2"
    refute_output --partial SCARD_SERVICE
}
