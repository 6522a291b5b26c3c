#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Programs written for pcsc-lite run on libscard unchanged: the released library stands where they look for
# libpcsclite.so.1. LIBSCARD names it.

setup() {
    load /usr/lib/bats/bats-support/load.bash
    load /usr/lib/bats/bats-assert/load.bash
    unset ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
    ln -s "$LIBSCARD" "$BATS_TEST_TMPDIR/libpcsclite.so.1"
    export SCARD_READERS=sim:iso
}

# Only the program itself gets the library. With it not in place pcscd would be asked, which has no such reader.
on_libscard() {
    run env LD_LIBRARY_PATH="$BATS_TEST_TMPDIR" timeout 60 "$@"
}

@test "opensc-tool lists the reader, prints the ATR and sends an APDU" {
    on_libscard opensc-tool --list-readers
    assert_success
    assert_output --regexp '0 +Yes .*scard sim:iso 00 00'
    on_libscard opensc-tool --reader 0 --atr
    assert_success
    assert_output --partial '3b:9f:96:81:31:fe:45:80:31:e0:73:f7:41:ff:53:73:69:6d:83:05:90:00:5b'
    on_libscard opensc-tool --reader 0 --send-apdu 00A40000023F00
    assert_success
    assert_output --partial 'SW1=0x90, SW2=0x00'
}

@test "pcsc_scan lists the reader" {
    on_libscard pcsc_scan -r
    assert_success
    assert_output --partial 'scard sim:iso 00 00'
}

@test "scriptor runs a file of APDUs" {
    printf '00 A4 04 00 07 F0 73 63 61 72 64 01 00\n00 B0 81 00 05\n' >"$BATS_TEST_TMPDIR/apdus"
    on_libscard scriptor "$BATS_TEST_TMPDIR/apdus"
    assert_success
    assert_output --partial '< 48 65 6C 6C 6F 90 00 : Normal processing.'
}
