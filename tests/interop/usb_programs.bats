#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Programs written for pcsc-lite with readers on USB: the emulated bus, the unmodified libusb on it, our driver. Which
# reader is the first is not told.
load route

setup_file() {
    export EMU_INIT='plug tpdu product=Alpha manufacturer=Emu serial=; card 1-1 0 sim:iso?protocol=T0
        plug short product=Beta manufacturer=Emu serial=; card 1-2 0 sim:iso?protocol=T1'
    route_begin usb: "$USBEMU"
}

teardown_file() {
    route_end
}

@test "pcsc_scan lists the readers, and their cards" {
    on_route pcsc_scan -r
    assert_success
    assert_output --regexp '[01]: Emu Alpha 0[01] 00'
    assert_output --regexp '[01]: Emu Beta 0[01] 00'
    on_route pcsc_scan -c -n
    assert_success
    assert_output --regexp 'Reader 0:.*Card inserted.*Reader 1:.*Card inserted'
}

@test "opensc-tool sends APDUs by both protocols" {
    on_route opensc-tool --list-readers
    assert_success
    assert_output --regexp '[01] +Yes .*Emu Alpha'
    assert_output --regexp '[01] +Yes .*Emu Beta'
    for reader in 0 1; do
        on_route opensc-tool --reader $reader --send-apdu 00A4040007F073636172640100 --send-apdu 00B0810005
        assert_success
        assert_output --partial '48 65 6C 6C 6F'
    done
}

@test "scriptor reads a file and resets the card" {
    printf '00 A4 04 00 07 F0 73 63 61 72 64 01 00\n00 B0 81 00 05\nreset\n' >"$BATS_TEST_TMPDIR/apdus"
    on_route scriptor "$BATS_TEST_TMPDIR/apdus"
    assert_success
    assert_output --partial '< 48 65 6C 6C 6F 90 00 : Normal processing.'
    assert_output --partial '< OK: 3B'
}

@test "one program goes through the interface on either reader" {
    for reader in Alpha Beta; do
        on_route "$PCSC_THEIRS" use "$reader"
        assert_success
        run diff <(grep -v '^\(answer\|atr\|state\) ' <<<"$output") "$BATS_TEST_DIRNAME/pcsc_program.expected"
        assert_success
    done
}
