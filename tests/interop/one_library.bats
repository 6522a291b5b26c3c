#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# A process that has libpcsclite by several names has one library at work.
load /usr/lib/bats/bats-support/load.bash
load /usr/lib/bats/bats-assert/load.bash

setup() {
    unset ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
    export SCARD_SERVICE=local SCARD_READERS=sim:iso
}

@test "a context of libpcsclite_real and of libscard is one of libpcsclite, too" {
    for library in "$DROPIN/libpcsclite_real.so.1" "$DROPIN/../libscard.so.1"; do
        run env LD_LIBRARY_PATH="$DROPIN" "$PCSC_THEIRS" both "$library"
        assert_success
        assert_output 'one: Invalid handle.'
    done
}

@test "with pcsc-lite's library in the program, ours still calls its own functions" {
    run "$PCSC_THEIRS" load "$DROPIN/libpcsclite_real.so.1"
    assert_success
    assert_output 'scard sim:iso 00 00'
}
