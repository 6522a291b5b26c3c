#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

@test "prints the ATR, warm and cold" {
    for kind in "" warm cold; do
        run scard reset $kind
        assert_success
        assert_output --regexp '^3B[0-9A-F]+$'
    done
    run scard reset lukewarm
    assert_failure 2
}

@test "the state of the card is lost" {
    run in_shell connect "apdu 00A4000C02DF01=" "apdu 00A4000C02E101=" reset "apdu b00000/05"
    assert_failure 1
    assert_line 6986
}

@test "--json names kind and card" {
    run scard --json reset cold
    assert_output --regexp '"t":"reset","reader":"scard sim:iso 00 00","kind":"cold","atr":"3B[0-9A-F]+","others_affected":false'
}

@test "no card is status 5" {
    SCARD_READERS="sim:iso?insert=no" run scard reset
    assert_failure 5
}
