#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

@test "a reader goes into a group and out; the group comes and goes with it" {
    run scard group list
    assert_output 'SCard$DefaultReaders'$'\t''scard sim:iso 00 00'
    run scard group add Counters 0
    assert_success
    assert_output ""
    run scard --json group list
    assert_line --partial '"name":"Counters","readers":["scard sim:iso 00 00"]'
    run scard group add Counters "a reader that is away"
    assert_failure 4
    run scard group remove Counters sim:iso
    assert_success
    run scard group list
    refute_output --partial Counters
    run scard group remove Counters 0
    assert_failure 4
}

@test "a group is forgotten, and a group of the system's is not" {
    scard group add One 0
    run scard group forget One
    assert_success
    run scard group forget One
    assert_failure 2
    run scard group forget 'SCard$DefaultReaders'
    assert_failure 2
    run scard group introduce Two
    assert_success
    run scard group list
    refute_output --partial Two
}

@test "the group is a file that people can read; a damaged one is told and does no harm" {
    scard group add Counters 0
    run cat "$XDG_CONFIG_HOME"/scard/groups.d/*.conf
    assert_output --partial 'Counters'
    printf 'name = "Broken";\nreaders = 7;\n' >"$XDG_CONFIG_HOME/scard/groups.d/broken.conf"
    run_apart "$SCARD_BIN" --json group add Counters 0
    assert_success
    assert_output --partial 'broken.conf:2:'
    run scard group list
    assert_line --partial Counters
    run cat "$XDG_CONFIG_HOME/scard/groups.d/broken.conf"
    assert_line 'readers = 7;'
}

@test "a family without a command shows them: status 2" {
    run scard group
    assert_failure 2
    assert_output --partial "group add"
}
