#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

@test "facts, one a line" {
    run scard status
    assert_success
    assert_line $'reader\tscard sim:iso 00 00'
    assert_line --regexp $'^state\tpresent'
    assert_line --regexp $'^atr\t3B'
    assert_line $'connected\tno'
}

@test "without a card" {
    SCARD_READERS="sim:iso?insert=no" run scard status
    assert_success
    assert_line $'state\tabsent'
    assert_line $'atr\t'
}

@test "of a connection" {
    run in_shell connect begin status
    assert_success
    assert_line $'connected\tshared'
    assert_line $'protocol\tT=1'
    assert_line $'transactions\t1'
}

@test "--json" {
    run scard --json status
    assert_output --regexp '^\{"v":1,"t":"status","reader":"scard sim:iso 00 00","state":\["present"'
}
