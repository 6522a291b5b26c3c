#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

@test "of the card" {
    run scard atr
    assert_success
    assert_line $'reader\tscard sim:iso 00 00'
    assert_line $'protocols\tT=1'
    assert_line $'convention\tdirect'
}

@test "of one given, without any reader" {
    SCARD_READERS= run scard atr 3B 65 00 00 20 63 CB 68 00
    assert_success
    assert_line $'atr\t3B650000 2063CB6800' || assert_line $'atr\t3B6500002063CB6800'
    assert_line $'protocols\tT=0'
    assert_line $'history\t2063CB6800'
}

@test "faults are named" {
    run scard atr 3B8F8001804F0CA000000306030001000000006B
    assert_success
    assert_output --partial "TCK is wrong"
}

@test "what is no ATR is usage" {
    run scard atr 00
    assert_failure 2
    run scard atr xyz
    assert_failure 2
}

@test "no card is status 5, a mute one 9" {
    SCARD_READERS="sim:iso?insert=no" run scard atr
    assert_failure 5
    SCARD_READERS="sim:odd?mute=yes" run scard atr
    assert_failure 9
}
