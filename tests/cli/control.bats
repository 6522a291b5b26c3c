#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

@test "insert and remove" {
    run in_shell "control remove" "wait --absent" "control insert" "wait --present"
    assert_success
    assert_line --index 0 --partial $'\tempty\t'
    assert_line --index 1 --partial $'\tcard\t'
}

@test "an unknown code is refused by name, or by the reader" {
    run scard control nonsense
    assert_failure 2
    assert_output --partial "insert, remove, features"
    run scard control 0x42001234
    assert_failure 9
}

@test "odd data are refused" {
    run scard control 1 ABC
    assert_failure 2
}
