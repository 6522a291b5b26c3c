#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

card={01234567-89AB-CDEF-0123-456789ABCDEF}

@test "what one process writes, another reads" {
    run scard cache write $card name 0102 --freshness 7
    assert_success
    run scard cache read $card name --freshness 7
    assert_success
    assert_output 0102
    run scard cache read $card other
    assert_failure 1
    run scard cache read $card name --freshness 6
    assert_failure 1
    assert_output --partial "freshness"
}

@test "bytes come from a file and go to one" {
    printf 'abc\n' >"$BATS_TEST_TMPDIR/in"
    run scard cache write $card file -i "$BATS_TEST_TMPDIR/in"
    assert_success
    run scard cache read $card file -o "$BATS_TEST_TMPDIR/out"
    assert_success
    cmp "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
    printf 'abc' | scard cache write $card pipe -i -
    run scard cache read $card pipe
    assert_output 616263
}

@test "too big, no GUID, nothing to write: status 2" {
    head -c 65537 /dev/zero >"$BATS_TEST_TMPDIR/big"
    run scard cache write $card big -i "$BATS_TEST_TMPDIR/big"
    assert_failure 2
    run scard cache write nonsense x 00
    assert_failure 2
    run scard cache write $card x
    assert_failure 2
}
