#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# OpenSC's programs cannot tell a recording from the card: libcacard's card and a simulated one are recorded while they
# work with it, and what they print on the replay is the same, byte for byte.
load route

setup_file() {
    unset ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
    export VPCD_CARD=$BATS_FILE_TMPDIR/card
    start card listening "$CACARD_BRIDGE" "$VPCD_CARD" "$NSSDB"
}

teardown_file() {
    route_end
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    export HOME=$BATS_TEST_TMPDIR SCARD_SERVICE=local
}

# same READERS REPLAY COMMAND…: the command on the card, recorded, and on the recording; with what it printed.
same() {
    local readers=$1 replay=$2

    shift 2
    env LD_PRELOAD="$VPCD_INSERT" SCARD_READERS="$readers" timeout 60 "$SCARD" record card.jsonl "$@" >card.out 2>&1
    grep -q '"t":"session"' card.jsonl
    env SCARD_READERS="$replay" LD_LIBRARY_PATH="$DROPIN" timeout 60 "$@" >replay.out 2>&1
    diff card.out replay.out
}

cac() {
    same vpcd:0 'replay:card.jsonl?name=Virtual%20PCD' "$@"
}

iso() {
    same sim:iso 'replay:card.jsonl?name=scard%20sim:iso' "$@"
}

@test "opensc-tool names the card, and sends it APDUs" {
    cac opensc-tool --name
    grep 'Common Access Card' replay.out
    cac opensc-tool --atr
    cac opensc-tool --send-apdu 00A4040007A000000079010000
    grep '6F 0B 84 07 A0 00 00 00 79 01 00 A5 00' replay.out
    cac opensc-tool --send-apdu 00A4040007A000000079990000
}

@test "pkcs15-tool dumps the card and reads a certificate" {
    cac pkcs15-tool --dump
    grep 'CAC ID Certificate' replay.out
    cac pkcs15-tool --list-certificates
    cac pkcs15-tool --read-certificate 0001
    grep 'BEGIN CERTIFICATE' replay.out
}

@test "a PIN that was typed is not in the recording, and any will do on the replay" {
    echo 'to be signed' >data
    env LD_PRELOAD="$VPCD_INSERT" SCARD_READERS=vpcd:0 timeout 60 "$SCARD" record card.jsonl pkcs11-tool --slot-index 0 \
        --login --pin 12345678 --sign --id 0001 --mechanism SHA256-RSA-PKCS --input-file data --output-file first
    run grep -cE '12345678|3132333435363738' card.jsonl
    assert_output 0
    env SCARD_READERS='replay:card.jsonl?match=lenient' LD_LIBRARY_PATH="$DROPIN" timeout 60 pkcs11-tool --slot-index 0 \
        --login --pin 87654321 --sign --id 0001 --mechanism SHA256-RSA-PKCS --input-file data --output-file second
    cmp first second
}

@test "the simulated card, too" {
    iso opensc-tool --name
    iso opensc-tool --atr
    iso opensc-tool --card-driver default --send-apdu 00A4000C022FE2 --send-apdu 00B0000000
    grep '98 99 27 10' replay.out
    printf 'apdu 00A4000C023F00\napdu 00A4000C022FE2\napdu 00B0000000\nquit\n' >script
    iso opensc-explorer --mf '' script
}

@test "the recording is a card of scard serve as well" {
    cac opensc-tool --name
    start server "$BATS_TEST_TMPDIR/s" env SCARD_SERVICE=local "$SCARD" --json \
        --readers 'replay:card.jsonl?name=Virtual%20PCD' serve --socket "$BATS_TEST_TMPDIR/s"
    env PCSCLITE_CSOCK_NAME="$BATS_TEST_TMPDIR/s" timeout 60 opensc-tool --name >served.out 2>&1
    kill "$server_pid"
    diff card.out served.out
}
