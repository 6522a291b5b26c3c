#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Readers on USB: the emulated bus under the unmodified libusb, preloaded into the program (tests/usbemu/emu_ctl.h).
load helper

: "${USBEMU:?set it to libusbemu.so}"

setup() {
    clean_environment
    export SCARD_READERS=usb: EMU_PROG=scard
    # A sanitizer's runtime must come first.
    runtime=$(ldd "$SCARD_BIN" | awk '/lib[at]san/ { print $3 }')
    preload=${runtime:+$runtime:}$USBEMU
}

# Whatever a failed test has left.
teardown() {
    local name

    [ -z "${watcher:-}" ] || kill "$watcher" 2>/dev/null || true
    for name in $(scard sessions | cut -f1); do
        scard --session "$name" release
    done
}

scard() {
    LD_PRELOAD=$preload "$SCARD_BIN" "$@"
}

# LINES for the emulated bus, before the program begins.
bus() {
    export EMU_INIT=$1
}

# One line for the bus of a program that runs; with more words for one that may end by it before it can answer.
control() {
    perl -MIO::Socket::UNIX -e '
        my $socket = IO::Socket::UNIX->new($ARGV[0]) or die "$ARGV[0]: $!";
        print $socket "$ARGV[1]\n";
        $_ = <$socket> || (@ARGV > 2 ? "ok" : "nothing");
        die $_ unless /^ok/' "$EMU_CTL" "$@"
}

@test "list: a reader with a card" {
    bus "plug tpdu product=Reader manufacturer=Emu serial=; card 1-1 0 sim:iso?protocol=T1"
    run scard list
    assert_success
    assert_output --regexp $'^0\tEmu Reader 00 00\tcard\t\t3B[0-9A-F]+\t$'
}

@test "list: several slots" {
    bus "plug multislot product=Reader manufacturer=Emu serial=; card 1-1 2 sim:iso"
    run scard list
    assert_success
    assert_line --index 0 $'0\tEmu Reader 00 00\tempty\t\t\t'
    assert_line --index 2 --regexp $'^2\tEmu Reader 00 02\tcard\t'
    assert_line --index 3 $'3\tEmu Reader 00 03\tempty\t\t\t'
}

@test "list: no reader: status 4" {
    run scard list
    assert_failure 4
}

@test "list: readers that cannot be used, and why" {
    bus "plug tpdu denied=on; plug tpdu held=1; plug tpdu driver=pn533_usb; plug acr122-old; plug no-class"
    run scard list
    assert_success
    assert_output --regexp $'unavailable\t\t\tno permission .*udev rule'
    assert_output --regexp $'unavailable\t\t\t.*in use by another program'
    assert_output --regexp $'unavailable\t\t\t.*pn533_usb'
    assert_output --regexp $'unavailable\t\t\tfirmware too old .*2\\.06'
    assert_output --regexp $'unavailable\t\t\t.*class descriptor is missing'
    refute_output --regexp $'\tcard\t'
    [ "${#lines[@]}" -eq 5 ]
}

@test "info: what can be known of a reader" {
    bus "plug tpdu serial=0001"
    run scard info
    assert_success
    assert_line $'device\tusb:1-1:1.0'
    assert_line $'usb_id\t1209:cc1d'
    assert_line $'serial\t0001'
    assert_line $'firmware\t1.00'
    assert_line $'level\tTPDU'
    assert_line $'protocols\tT=0 T=1'
    assert_line $'voltages\t5 V, 3 V, 1.8 V'
    assert_line $'max_apdu_t0\t261'
    assert_line $'extended_t0\tno'
    assert_line $'extended_t1\tyes'
    assert_line $'slots\t1'
    assert_line $'max_message\t271'
    assert_line $'interrupt\tyes'
    assert_line $'pin_verify\tno'
    assert_line --regexp $'^class_descriptor\t3621'
    run bash -c "LD_PRELOAD='$preload' '$SCARD_BIN' --json info | perl -MJSON::PP -e 'decode_json(<STDIN>)'"
    assert_success
}

@test "info: quirks in force, PIN pad, a short level" {
    bus "plug gempc-twin"
    run scard info
    assert_line $'quirk\tsends stray empty packets'
    bus "plug pinpad-short"
    run scard info
    assert_line $'level\tshort APDU'
    assert_line $'extended_t1\tno'
    assert_line $'pin_verify\tyes'
    assert_line $'pin_modify\tyes'
}

@test "info: will this APDU pass, and how" {
    bus "plug tpdu"
    run scard info --apdu 00B0000010
    assert_success
    assert_line $'T=0\tpasses\tas it is'
    assert_line --partial $'T=1\tpasses\tas it is, in blocks of T=1'
    run scard info --apdu 00B00000000400
    assert_line --partial $'T=0\trefused'
    assert_line --partial $'T=1\tpasses'
    bus "plug short"
    long=00D6000000012C$(printf '%600s' '' | tr ' ' 0)
    run scard info --apdu "$long"
    assert_success
    assert_line --partial $'T=1\trefused\t307 bytes are more than the 261 it takes: send it in 2 parts'
    bus "plug extended"
    run scard --json info --apdu "$long"
    assert_line --partial '"protocol":"T=1","passes":true'
    # What is said is what happens.
    bus "plug short; card 1-1 0 sim:iso?protocol=T1"
    run scard apdu --protocol T1 "$long"
    assert_failure
    assert_output --partial "short APDUs only"
}

@test "info: works where nothing can be opened, and says why" {
    bus "plug short denied=on"
    run scard info
    assert_success
    assert_line --regexp $'^problem\tno permission'
    assert_line $'level\tshort APDU'
    bus "plug no-class"
    run scard info
    assert_success
    assert_line --regexp $'^problem\t.*class descriptor is missing'
}

@test "apdu: every level, both protocols" {
    for preset in character tpdu short extended iccd-b nointerrupt; do
        for protocol in T0 T1; do
            bus "plug $preset; card 1-1 0 sim:iso?protocol=$protocol"
            run scard apdu 00A4000C023F00
            assert_success
            assert_output --partial 9000
        done
    done
}

@test "apdu: an extended one where it is carried" {
    data=$(printf 'AB%.0s' {1..300})
    for preset in tpdu extended character; do
        bus "plug $preset; card 1-1 0 sim:echo?protocol=T1"
        run scard apdu "00D6000000012C${data}0000"
        assert_success
        assert_output --partial "$data"
    done
}

@test "apdu: an extended one where it is not: status 9, and the limit" {
    bus "plug short; card 1-1 0 sim:echo?protocol=T1"
    run scard apdu "00D6000000012C$(printf 'AB%.0s' {1..300})"
    assert_failure 9
    assert_output --partial "takes short APDUs only (at most 261 bytes"
    assert_output --partial "dwMaxCCIDMessageLength 271"
    bus "plug tpdu; card 1-1 0 sim:echo?protocol=T0"
    run scard apdu "00D6000000012C$(printf 'AB%.0s' {1..300})"
    assert_failure 9
    assert_output --partial "with T=0 this reader takes short APDUs only"
}

@test "bench: what is the card's, and what is left for the reader" {
    bus "plug tpdu product=Reader; card 1-1 0 sim:iso?protocol=T1&line.delay=200"
    run scard bench -n 2 --json
    assert_success
    run jq -e '.card_min_us >= 100000 and .card_min_us < .min_us and .reader_min_us > 0' <<<"$output"
    assert_success
}

@test "connect: a reader that cannot be used says why" {
    bus "plug tpdu denied=on"
    run scard apdu 00A40000
    assert_failure 9
    assert_output --partial "no permission"
    assert_output --partial "udev rule"
    bus "plug tpdu held=1"
    run scard apdu 00A40000
    assert_failure 9
    assert_output --partial "in use by another program"
}

@test "connect: a card and a reader without a common protocol" {
    bus "plug iccd-a; card 1-1 0 sim:iso?protocol=T1"
    run scard apdu 00A4000C023F00
    assert_failure 9
    assert_output --partial "reader does not speak T=1"
    assert_output --partial "scard info"
    refute_output --partial "clean its contacts"
}

@test "a session keeps the card, and its reader's state" {
    bus "plug tpdu; card 1-1 0 sim:iso?protocol=T1"
    run scard --session usb connect
    assert_success
    run scard --session usb status
    assert_success
    assert_output --partial "T=1"
    run scard --session usb apdu 00A4000C023F00
    assert_success
    assert_output --partial 9000
    run scard --session usb release
    assert_success
}

@test "watch: readers and cards come and go" {
    export EMU_CTL=$BATS_TEST_TMPDIR/control
    ready=$BATS_TEST_TMPDIR/ready
    mkfifo "$ready"
    LD_PRELOAD=$preload timeout 60 "$SCARD_BIN" --json watch --count 4 >"$ready" 3>&- &
    watcher=$!
    exec 4<"$ready"
    read -r line <&4
    [[ $line == *'"t":"watching"'* ]]
    control "plug extended product=Reader manufacturer=Emu serial="
    read -r line <&4
    [[ $line == *'"what":"reader-in","reader":"Emu Reader 00 00"'* ]]
    control "card 1-1 0 sim:iso"
    read -r line <&4
    [[ $line == *'"what":"card-in","reader":"Emu Reader 00 00","atr":"3B'* ]]
    control "card 1-1 0 out"
    read -r line <&4
    [[ $line == *'"what":"card-out"'* ]]
    control "unplug 1-1" and end
    read -r line <&4
    [[ $line == *'"what":"reader-out","reader":"Emu Reader 00 00"'* ]]
    wait $watcher
}
