#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Programs written for pcsc-lite run on libscard unchanged; route.bash says how they come to it. Reader 0 holds
# libcacard's card, reader 1 a simulated one.
load route

setup_file() {
    route_begin vpcd:0,sim:iso "$VPCD_INSERT"
}

teardown_file() {
    route_end
}

setup() {
    cac='Virtual PCD 00 00' sim='scard sim:iso 01 00'
    cd "$BATS_TEST_TMPDIR" || return
}

@test "pcsc_scan lists the readers, and the card with its ATR" {
    on_route pcsc_scan -r
    assert_success
    assert_output --partial "0: $cac"
    assert_output --partial "1: $sim"
    on_route pcsc_scan -c -n
    assert_success
    assert_output --partial 'ATR: 3B 7A 18 00 00 73 66 74 65 20 63 64 31 34 34'
}

@test "opensc-tool lists the readers, knows the card, prints ATRs and sends APDUs" {
    on_route opensc-tool --list-readers
    assert_success
    assert_output --regexp "0 +Yes .*$cac"
    assert_output --regexp "1 +Yes .*$sim"
    on_route opensc-tool --reader 0 --name
    assert_success
    assert_output --partial 'Common Access Card (CAC)'
    on_route opensc-tool --reader 1 --atr
    assert_success
    assert_output --partial '3b:9f:96:81:31:fe:45:80:31:e0:73:f7:41:ff:53:73:69:6d:83:05:90:00:5b'
    on_route opensc-tool --reader 0 --send-apdu 00A4040007A000000079010000
    assert_success
    assert_output --partial 'SW1=0x90, SW2=0x00'
    assert_output --partial '6F 0B 84 07 A0 00 00 00 79 01 00 A5 00'
}

@test "opensc-explorer runs a script" {
    printf 'apdu 00A4000C023F00\nquit\n' >script
    on_route opensc-explorer --reader 1 --mf '' script
    assert_success
    assert_output --partial 'Received (SW1=0x90, SW2=0x00)'
    printf 'apdu 00A4040007A000000079010000\nquit\n' >script
    on_route opensc-explorer --reader 0 --mf '' script
    assert_success
    assert_output --partial '6F 0B 84 07 A0 00 00 00 79 01 00 A5 00'
}

@test "pkcs15-tool finds the card's three certificates and reads one" {
    on_route pkcs15-tool --reader 0 --list-certificates
    assert_success
    assert_output --partial 'CAC ID Certificate'
    assert_output --partial 'CAC Email Signature Certificate'
    assert_output --partial 'CAC Email Encryption Certificate'
    on_route pkcs15-tool --reader 0 --read-certificate 0001 --output id.pem
    assert_success
    openssl x509 -in id.pem -outform der | cmp - "$CERTIFICATE"
}

@test "pkcs11-tool finds them, too, and signs with the card's key" {
    on_route pkcs11-tool --slot-index 0 --list-objects --type cert
    assert_success
    assert_line --partial 'CN=id-cert'
    assert_line --partial 'CN=signing-cert'
    assert_line --partial 'CN=encryption-cert'
    echo 'to be signed' >data
    on_route pkcs11-tool --slot-index 0 --login --pin 12345678 --sign --id 0001 --mechanism SHA256-RSA-PKCS \
        --input-file data --output-file signature
    assert_success
    openssl x509 -inform der -in "$CERTIFICATE" -noout -pubkey >key.pem
    run openssl dgst -sha256 -verify key.pem -signature signature data
    assert_success
    assert_output 'Verified OK'
    echo 'something else' >data
    run openssl dgst -sha256 -verify key.pem -signature signature data
    assert_failure
}

@test "scriptor runs a file of APDUs, and resets the card" {
    printf '00 A4 04 00 07 F0 73 63 61 72 64 01 00\n00 B0 81 00 05\nreset\n' >apdus
    on_route scriptor -r "$sim" apdus
    assert_success
    assert_output --partial '< 48 65 6C 6C 6F 90 00 : Normal processing.'
    assert_output --partial '< OK: 3B 9F 96'
    printf '00 A4 04 00 07 A0 00 00 00 79 01 00\n00 C0 00 00 0D\n' >apdus
    on_route scriptor -p T=0 -r "$cac" apdus
    assert_success
    assert_line --partial '< 61 0D'
    assert_line --partial '< 6F 0B 84 07 A0 00 00 00 79 01 00 A5 00 90 00 : Normal processing.'
}

@test "pyscard: readers, connect, transmit, transactions, attributes, monitors" {
    on_route /usr/bin/python3 "$BATS_TEST_DIRNAME/pyscard_calls.py" "$cac" "$sim"
    assert_success
    assert_output 'all done'
}

@test "scdaemon takes the card, behind gpg-agent" {
    export GNUPGHOME=$BATS_TEST_TMPDIR/g
    mkdir -m 700 "$GNUPGHOME"
    library=$(ldconfig -p | sed -n 's/.*libpcsclite\.so\.1 .*=> //p' | head -n 1)
    [ "$ROUTE" = serve ] || library=$DROPIN/libpcsclite.so.1
    printf '%s\n' disable-ccid "pcsc-driver $library" "reader-port $cac" >"$GNUPGHOME/scdaemon.conf"
    printf '%s\n' 'scd serialno undefined' 'scd getinfo reader_list' 'scd apdu --atr' \
        'scd apdu 00A4040007A000000079010000' killagent /bye >commands
    on_route gpg-agent --homedir "$GNUPGHOME" --daemon gpg-connect-agent --hex --no-autostart --run commands /bye
    assert_success
    assert_line --partial 'S SERIALNO FF7F00'
    assert_line --regexp 'D\[0000\]  56 69 72 74 75 61 6C 20  50 43 44'
    assert_line 'S CARD-ATR 3B7A18000073667465206364313434'
    assert_line --regexp '6F 0B 84 07 A0 00 00 00'
}

@test "one program, compiled with either headers, says the same as on pcsc-lite's library" {
    on_route "$PCSC_THEIRS" list
    assert_success
    assert_output "$cac"$'\n'"$sim"
    for reader in "$cac" "$sim"; do
        on_route "$PCSC_THEIRS" use "$reader"
        assert_success
        theirs=$output
        on_route "$PCSC_OURS" use "$reader"
        assert_success
        assert_output "$theirs"
        # What both libraries must say, whoever is behind them.
        run diff <(grep -v '^\(answer\|atr\|state\) ' <<<"$theirs") "$BATS_TEST_DIRNAME/pcsc_program.expected"
        assert_success
    done
    assert_equal "$(grep -c '^atr 3B9F96' <<<"$theirs")" 3
}
