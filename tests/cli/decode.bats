#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

# decode_log LINE...: of a log in a file.
decode_log() {
    printf '%s\n' "$@" >"$BATS_TEST_TMPDIR/log"
    run scard decode -f "$BATS_TEST_TMPDIR/log"
}

@test "what bytes are shows itself" {
    run scard decode 3B6500002063CB6800
    assert_line --index 0 $'atr\t3B6500002063CB6800\t'
    run scard decode 00A4040007A0000002471001
    assert_line --index 0 $'command\t00A4040007A0000002471001\tSELECT'
    run scard decode 6A82
    assert_line --index 0 $'response\t6A82\tfile or application not found'
    run scard decode 6F1A840E315041592E5359532E4444463031A5088801015F2D02656E
    assert_line --index 0 $'tlv\t6F1A840E315041592E5359532E4444463031A5088801015F2D02656E\t'
    run scard decode 6F 06 84 04 31 50 41 59 # the example of the help
    assert_line --index 0 $'tlv\t6F06840431504159\t'
    run scard decode 62000000000005010000
    assert_line --index 0 $'ccid\t62000000000005010000\t'
}

@test "an error code of PC/SC is one" {
    run scard decode 0x80100069
    assert_success
    assert_output $'error\t80100069\tthe card was taken out'
    run scard --json decode 8010006A
    assert_output --partial '"name":"SCARD_W_SECURITY_VIOLATION"'
    run scard decode --as error 8010001F
    assert_output --partial $'error\t8010001F\t'
    run scard decode --as error 8010001F00
    refute_output --partial error
    run scard decode 80 10 00 0C
    assert_output $'error\t8010000C\tno card is in the reader'
    run scard decode 801000000411223344
    assert_line --index 0 --partial "TERMINAL PROFILE"
}

@test "--as says what bytes are, where they do not" {
    run scard decode --as tlv 9000
    assert_line --index 0 $'tlv\t9000\t'
    run scard decode --as command 9000
    assert_failure 2
}

@test "bytes with blanks are one thing, several things are several" {
    run scard decode 6F 05 84 03 41 42 43
    assert_line --index 0 --partial $'tlv\t6F058403414243'
    run scard decode 9000 6A82
    assert_line $'response\t9000\tdone'
    assert_line $'response\t6A82\tfile or application not found'
}

@test "lines of a dump are one thing" {
    decode_log "6F 05 84" "03 41 42 43"
    assert_line --index 0 --partial $'tlv\t6F058403414243'
}

@test "a status word means what the application says" {
    run scard decode --application openpgp 6285
    assert_line --index 0 --partial "terminated"
    run scard decode --application nonsense 6285
    assert_failure 2
    decode_log "> 00 A4 04 00 06 D2 76 00 01 24 01 00" "< 90 00 : x" "> 00 47 81 00 02 B6 00 00" "< 69 85 : x"
    assert_line --partial "often there is no key"
}

@test "the application of another logical channel is another" {
    decode_log "> 00A4040006D2760001240100" "< 9000" "> 01A4040008A0000006472F000100" "< 9000" \
        "> 01020300" "< 6985" "> 00478100" "< 6985"
    assert_line --partial "touch the device"
    assert_line --partial "often there is no key"
}

@test "standard input, also by its name" {
    run bash -c 'echo 6A82 | "$SCARD_BIN" decode'
    assert_line --index 0 --partial "not found"
    run bash -c 'echo 6A82 | "$SCARD_BIN" decode -'
    assert_line --index 0 --partial "not found"
}

@test "a PIN in a log is masked, in the bytes and the words" {
    pin="> 00 20 00 80 08 34 37 31 31 39 39 FF FF"
    decode_log "$pin" "< 90 00 : x"
    assert_line --index 0 $'command\t0020008008**\tVERIFY'
    refute_output --partial 3437
    run scard --json decode -f "$BATS_TEST_TMPDIR/log"
    refute_output --partial 3437
    run scard --show-secrets decode -f "$BATS_TEST_TMPDIR/log"
    assert_line --index 0 $'command\t0020008008343731313939FFFF\tVERIFY'
}

@test "a PIN in messages to the reader is masked, with the checksum that tells of it" {
    run scard decode 6F0D000000000700000000200080083437313139FFFFFF
    refute_output --partial 3437
    # T=1: NAD PCB LEN, the command, LRC
    run scard decode 6F11000000000800000000000D002000800831323334FFFFFFFFA1
    refute_output --partial 3132
    assert_line --partial $'LRC\t**'
}

@test "a secret that was masked before stays so" {
    decode_log "A>> T=1 (0006) 0020008108**" "A<< (0000+2) (17ms) 63C2"
    assert_line --index 0 $'command\t0020008108**\tVERIFY'
    assert_line --partial "verification failed, 2 tries left"
}

@test "a log of pcscd, with what libccid says" {
    decode_log "00000012 ifdhandler.c:1415:IFDHTransmitToICC() APDU: 00 A4 00 0C 02 3F 00 " \
        "00000004 -> 000002 6F 07 00 00 00 00 03 00 00 00 00 A4 00 0C 02 3F 00 " \
        "00004711 <- 000002 80 02 00 00 00 00 03 00 00 00 90 00 " \
        "00000009 SW: 90 00 " "00000020 winscard.c:1() something else" \
        "00000042 eventhandler.c:286 Card ATR: 3B 65 00 00 20 63 CB 68 00 "
    assert_line $'command\t00A4000C023F00\tSELECT'
    assert_line --partial $'ccid\t6F070000000003000000'
    assert_line $'response\t9000\tdone'
    assert_line $'atr\t3B6500002063CB6800\t'
}

@test "dumps of opensc and of opensc-tool" {
    decode_log "0x7f 10:00:00.000 [opensc-tool] apdu.c:382:sc_single_transmit: called" "Outgoing APDU (5 bytes):" \
        "00 CA 00 6E 00 ...n." "Incoming APDU (18 bytes):" "6E 0E 4F 0C 41 42 43 44 45 46 47 48 49 4A 4B 4C n.O.ABCDEFGHIJKL" \
        "90 00 .." "Sending: 00 A4 00 00 02 3F 00 " "Received (SW1=0x61, SW2=0x0C):" \
        "41 42 AB" "Sending: 00 C0 00 00 02 " "Received (SW1=0x90, SW2=0x00):" "20 41 42 43  ABC"
    assert_line $'command\t00CA006E00\tGET DATA'
    assert_line --partial $'response\t6E0E4F0C4142434445464748494A4B4C9000'
    assert_line $'response\t41426'"10C"$'\tdone, 12 bytes more by GET RESPONSE'
    assert_line $'response\t204142439000\tdone'
}

@test "gp, apdu4j, scdaemon, ykman, pyscard, cardpeek" {
    decode_log "A>> T=1 (4+0008) 80500000 08 0102030405060708 00" "A<< (0000+2) (17ms) 6985" \
        "# ATR: 3B6500002063CB6800" "00A4000C023F00" "# 24ms" "9000" \
        "DBG:   raw apdu: 00CA006E00" "DBG:  response: sw=6A88  datalen=0" \
        "DEBUG SEND: 00fd000000" "DEBUG RECV: 050403 SW=9000" \
        "> 00 84 00 00 08" "<  [] 90 0" "C:00B2010C00:6A83:"
    assert_line $'command\t80500000080102030405060708'"00"$'\tINITIALIZE UPDATE'
    assert_line --partial $'response\t6985'
    assert_line $'command\t00A4000C023F00\tSELECT'
    assert_line $'response\t6A88\treferenced data not found'
    assert_line $'response\t0504039000\tdone'
    assert_line $'response\t6A83\trecord not found'
    assert_equal "$(grep -c $'^response\t9000' <<<"$output")" 2
}

@test "scdaemon wraps what is longer than 32 bytes" {
    local row=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f

    decode_log "2026-01-02 03:04:05 scdaemon[7] DBG: send apdu: c=00 i=CB p1=00 p2=6E lc=64 le=-1 em=0" \
        "2026-01-02 03:04:05 scdaemon[7] DBG:   raw apdu: 00db006e40$row \\" \
        "2026-01-02 03:04:05 scdaemon[7] DBG:  $row" \
        "2026-01-02 03:04:05 scdaemon[7] DBG:  response: sw=9000  datalen=66" \
        "2026-01-02 03:04:05 scdaemon[7] DBG:      dump:  $row \\" \
        "2026-01-02 03:04:05 scdaemon[7] DBG:  $row \\" \
        "2026-01-02 03:04:05 scdaemon[7] DBG:  2021" \
        "2026-01-02 03:04:05 scdaemon[7] DBG:   raw apdu: 00 20 00 82 08 ***PIN***" \
        "2026-01-02 03:04:05 scdaemon[7] DBG:  response: sw=63C2  datalen=0"
    assert_line --partial $'command\t'"00DB006E40${row^^}${row^^}"$'\t'
    assert_line $'response\t'"${row^^}${row^^}20219000"$'\tdone'
    assert_line $'command\t0020008208**\tVERIFY'
    assert_line --partial $'response\t63C2\t'
}

@test "ETSI's test scripts" {
    decode_log "REM a test" "RST" "CMD A0A4000002 3F00 (9FXX)" "CMD A0C0000004 [01 02 XX 04] (9000,9200)" \
        'CMD A0B00000 \' '02 [AB \' 'CD] (9000)' "CMD A0F2000000"
    assert_line $'reset\t\t'
    assert_line $'command\tA0A40000023F00\tSELECT'
    assert_line --partial $'response\t9F00\t'
    assert_line --partial $'response\t010200049000\t'
    assert_line --partial $'command\tA0B0000002\t'
    assert_line --partial $'response\tABCD9000\t'
    assert_line --partial $'command\tA0F2000000\t'
}

@test "a reset in a log of scriptor ends the application" {
    decode_log "> 00 A4 04 00 06 D2 76 00 01 24 01 00" "< 90 00 : x" "> RESET" "< OK: 3B 65 00 00 20 63 CB 68 00 " \
        "> 00 47 81 00 02 B6 00 00" "< 69 85 : x"
    assert_line $'reset\t\t'
    assert_line $'atr\t3B6500002063CB6800\t'
    assert_line $'response\t6985\tconditions of use not satisfied'
}

@test "own traces, as text and as JSON, and what the shell shows" {
    decode_log "12:00:00.000001 4711 SCardTransmit #1.1 00A40000 > 6D00  0.123 ms" \
        '{"v":1,"t":"session","atr":"3B6500002063CB6800"}' \
        '{"v":1,"t":"apdu","n":1,"c":"0020008008**","r":"","sw":"63C2","masked":true}'
    assert_line $'response\t6D00\tinstruction not supported or invalid'
    assert_line $'atr\t3B6500002063CB6800\t'
    assert_line $'command\t0020008008**\tVERIFY'
    assert_line --partial $'response\t63C2\tverification failed'
    bytes=$(printf ' %02X' $(seq 0 39))
    decode_log "> 00 B0 00 00 28  READ BINARY" "<${bytes:0:96}" " ${bytes:96}  (40 bytes)" "< 9000  done  1.00 ms"
    assert_line --index 0 $'command\t00B0000028\tREAD BINARY'
    assert_line $'response\t'"${bytes// /}9000"$'\tdone'
}

@test "a capture that scard wrote is decoded" {
    scard run --trace "$BATS_TEST_TMPDIR/trace.pcapng" -c '00A4000C023F00; 0020008104"1234"; 00B0000002=xxxx' >/dev/null
    run scard decode -f "$BATS_TEST_TMPDIR/trace.pcapng"
    assert_success
    assert_line --partial $'atr\t3B'
    assert_line $'command\t00A4000C023F00\tSELECT'
    assert_line $'command\t0020008104**\tVERIFY'
    assert_line $'response\t9000\tdone'
    run bash -c '"$SCARD_BIN" decode <"$1"' decode "$BATS_TEST_TMPDIR/trace.pcapng"
    assert_failure 2
    assert_output --partial "Name its file with --file"
}

@test "a trace that scard wrote is decoded" {
    scard apdu --trace "$BATS_TEST_TMPDIR/trace.jsonl" 00A4000C023F00
    run scard decode -f "$BATS_TEST_TMPDIR/trace.jsonl"
    assert_line --partial $'atr\t3B'
    assert_line $'command\t00A4000C023F00\tSELECT'
    assert_line $'response\t9000\tdone'
}

@test "on a terminal a tree" {
    run on_terminal decode 6F058403414243
    assert_line --regexp '^  .*6F.* file control information'
    assert_line --regexp '^    .*84.*41 42 43 '
}

@test "what is nothing is usage, what is cut off is told" {
    run scard decode hello
    assert_failure 2
    run scard decode -f /does/not/exist
    assert_failure
    run scard decode -f "$BATS_TEST_TMPDIR/log" 9000
    assert_failure 2
    run scard decode --as tlv 6F10840541
    assert_success
    assert_output --partial "cut off"
}
