#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

@test "what is so already returns at once" {
    run scard wait
    assert_success
    assert_output --regexp $'^scard sim:iso 00 00\tcard\t3B[0-9A-F]+$'
    SCARD_READERS="sim:iso?insert=no" run scard wait --absent
    assert_success
    run scard wait --reader-in -r ISO
    assert_success
}

@test "a time that runs out is status 10" {
    run scard wait --absent --timeout 20ms
    assert_failure 10
    assert_output --partial "was not taken out"
    SCARD_READERS="sim:iso?insert=no" run scard wait --timeout 20ms
    assert_failure 10
    run scard wait --reader-in -r nonsense --timeout 20ms
    assert_failure 10
}

@test "--quiet: the status alone" {
    run scard wait -q --timeout 0
    assert_success
    assert_output ""
    run scard wait -q --absent --timeout 0
    assert_failure 10
    assert_output ""
    run scard wait --json -q --timeout 0
    assert_output --partial '"t":"reader"'
}

@test "an insertion ends it" {
    export SCARD_READERS="sim:iso?presence=$BATS_TEST_TMPDIR/card"
    "$SCARD_BIN" wait --timeout 20 >"$BATS_TEST_TMPDIR/out" 3>&- &
    touch "$BATS_TEST_TMPDIR/card"
    wait $!
    grep -q $'\tcard\t3B' "$BATS_TEST_TMPDIR/out"
}

@test "conditions exclude each other; an unknown reader is status 4" {
    run scard wait --present --absent
    assert_failure 2
    run scard wait -r nonsense
    assert_failure 4
}
