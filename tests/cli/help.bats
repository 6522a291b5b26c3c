#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

@test "every command has help, reached in three ways" {
    commands=$(scard __complete -- "" | cut -f1)
    [ "$(wc -w <<<"$commands")" -ge 21 ]
    for command in $commands; do
        run scard help "$command"
        assert_success
        assert_line --index 0 --partial "Usage: scard $command"
    done
    run scard help valid
    assert_line "Is the context valid?"
    run scard list --help
    assert_line --index 0 "Usage: scard list [OPTIONS]"
    run scard -h list
    assert_line --index 0 "Usage: scard list [OPTIONS]"
}

@test "the overview lists commands and global options" {
    run scard help
    assert_success
    assert_output --partial "--show-secrets"
    run scard --help
    assert_success
    run scard
    assert_failure 2
    assert_output --partial "Usage: scard"
}

@test "help for what does not exist" {
    run scard help lsit
    assert_failure 2
    assert_output --partial 'did you mean "list"'
}

@test "version" {
    run scard --version
    assert_success
    assert_output --regexp '^[0-9]+\.[0-9]+\.[0-9]+$'
    run scard version --json
    assert_output --partial '"t":"version"'
}

@test "completion of commands, options, values and live readers" {
    run scard __complete -- li
    assert_output --regexp $'^list\t'
    run scard __complete -- list --js
    assert_output --regexp $'^--json\t'
    run scard __complete -- apdu --card r
    assert_output $'reset\t'
    run scard __complete -- --share=e
    assert_output $'--share=exclusive\t'
    run scard __complete -- apdu -r ""
    assert_output $'scard sim:iso 00 00\tcard'
    run scard __complete -- attrib get vendor-n
    assert_output $'vendor-name\t'
    run scard __complete -- reset c
    assert_output $'cold\t'
    run scard __complete -- apdu --pin-file /
    assert_output $':files\t'
    run scard __complete -- help gro
    assert_output --partial groups
}
