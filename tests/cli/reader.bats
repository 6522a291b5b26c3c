#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

@test "another name works wherever a reader is named" {
    run scard reader introduce "Front desk" 0
    assert_success
    run scard list -q
    assert_line "scard sim:iso 00 00"
    assert_line "Front desk"
    run scard apdu -r "Front desk" 00A40000023F00
    assert_success
    assert_output 9000
    run scard status -r "Front desk"
    assert_success
    run scard wait -r "Front desk" --timeout 5
    assert_success
    run scard reader introduce "Front desk" 0
    assert_failure 4
    run scard reader forget "Front desk"
    assert_success
    run scard apdu -r "Front desk" 00A40000023F00
    assert_failure 4
}

@test "a reader's own name is hidden while it has another" {
    run scard reader forget "scard sim:iso 00 00"
    assert_failure 2
    scard reader introduce Desk 0
    run scard reader forget "scard sim:iso 00 00"
    assert_success
    run scard list -q
    assert_output Desk
}

@test "its device, and back from it" {
    run scard reader instance
    assert_success
    assert_output --partial vendor
    id=$(scard --json reader instance | sed 's/.*"instance":"\([^"]*\)".*/\1/')
    run scard reader find "$id"
    assert_output "scard sim:iso 00 00"
    run scard reader find "usb:9-9:1.0"
    assert_failure 4
}

@test "a name may mean a device, which may be away" {
    run scard reader introduce Port "$(scard reader instance | cut -f1)"
    assert_success
    run scard list -q
    assert_line Port
}

@test "its picture is an .ico file" {
    run scard reader icon "$BATS_TEST_TMPDIR/reader.ico"
    assert_success
    run file "$BATS_TEST_TMPDIR/reader.ico"
    assert_output --partial "256x256"
    scard reader icon - | cmp - "$BATS_TEST_TMPDIR/reader.ico"
    run scard reader icon "$BATS_TEST_TMPDIR/no/such/place"
    assert_failure 9
}
