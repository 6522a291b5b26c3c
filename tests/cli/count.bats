#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

@test "exchanges are counted" {
    run in_shell '00A40000023F00' '00A40000023F00' count
    assert_success
    assert_line --index 2 2
    run scard --json count
    assert_output '{"v":1,"t":"count","reader":"scard sim:iso 00 00","exchanges":0}'
}

@test "audit: success or failure, nothing else" {
    run scard audit success
    assert_success
    run scard audit perhaps
    assert_failure 2
}
