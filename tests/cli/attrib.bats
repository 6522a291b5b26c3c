#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

@test "list: name, number, value, meaning" {
    run scard attrib
    assert_success
    assert_line $'vendor-name\t0x00010100\t736361726400\tscard'
    assert_output --partial $'atr-string\t0x00090303\t3B'
}

@test "get by name, by PC/SC name and by number" {
    for name in icc-presence ICC_PRESENCE SCARD_ATTR_ICC_PRESENCE 0x00090300; do
        run scard attrib get "$name"
        assert_success
        assert_output $'icc-presence\t0x00090300\t02\tcard'
    done
}

@test "works without a card" {
    SCARD_READERS="sim:iso?insert=no" run scard attrib get icc-presence
    assert_success
    assert_output --partial "no card"
}

@test "what the reader does not have is status 9" {
    run scard attrib get esc-reset
    assert_failure 9
}

@test "usage" {
    run scard attrib get
    assert_failure 2
    run scard attrib get nonsense
    assert_failure 2
    assert_output --partial "attrib list"
    run scard attrib set vendor-name
    assert_failure 2
    run scard attrib set vendor-name 0g
    assert_failure 2
    run scard attrib frob
    assert_failure 2
    assert_output --partial "list|get|set"
}
