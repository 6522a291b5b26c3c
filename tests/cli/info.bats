#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

@test "a reader without facts: its name and device" {
    run scard info
    assert_success
    assert_line --index 0 $'reader\tscard sim:iso 00 00'
    assert_line --index 1 $'device\tsim:iso'
    assert_line --index 2 --regexp $'^problem\t?$'
}

@test "--json: one object, also without a problem" {
    run scard --json info
    assert_success
    assert_output --regexp '^\{"v":1,"t":"info","reader":"scard sim:iso 00 00","device":"sim:iso","problem":""\}$'
}

@test "a reader that there is not: status 4" {
    run scard info -r nonsense
    assert_failure 4
    assert_output --partial nonsense
}
