#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

@test "a pipe gets data and status word, one line for each APDU" {
    run scard apdu 00A4040007A0000002471001 b00000/02
    assert_line --index 0 --regexp '^([0-9A-F]{2})*9000$'
    run scard apdu 00A4000C02DF01 00A4000C02E101 00B0000005
    assert_success
    assert_output $'9000\n9000\n48656C6C6F9000'
}

@test "the short form makes the same APDU" {
    run scard apdu a4000c:df01 a4000c:e101 b00000/05
    assert_success
    assert_line --index 2 48656C6C6F9000
}

@test "an answer that is not as expected is status 1 and ends the command" {
    run scard apdu a4000c:ffff a4000c:df01
    assert_failure 1
    assert_line --index 0 6A82
    refute_line 9000
    assert_output --partial "file or application not found"
    run scard apdu a4000c:df01=6A82
    assert_failure 1
    assert_output --partial "expected was 6A82"
}

@test "--keep-going goes on, and the first failure is the status" {
    run scard apdu --keep-going a4000c:ffff a4000c:df01
    assert_failure 1
    assert_line 9000
}

@test "=SW names the right answer" {
    run scard apdu a4000c:ffff=6A82 a4000c:df01= 'a4000c:df01=61xx|9000'
    assert_success
}

@test "malformed APDUs are refused before anything is sent" {
    run_apart "$SCARD_BIN" apdu a4000c:df01 00A40
    assert_failure 2
    assert_output ""
    [[ $errors == *"APDU 2, column 5: odd number of digits"*"Nothing was sent"* ]]
    run scard apdu 00A4040005A0
    assert_failure 2
    assert_output --partial "5 data bytes"
    run scard --raw apdu 00A4040005A0
    assert_failure 1
    assert_output --partial 6700
}

@test "--output: the data of the answers as bytes, and nothing when one is not as expected" {
    cd "$BATS_TEST_TMPDIR"
    run scard apdu -o data a4000c:df01 a4000c:e101 b00000/05 b00005/01
    assert_success
    assert_line --index 2 48656C6C6F9000
    assert_equal "$(cat data)" "Hello "
    run bash -c '"$SCARD_BIN" apdu --output - a4000c:df01 a4000c:e101 b00000/05 | od -An -tx1'
    assert_output " 48 65 6c 6c 6f"
    rm data
    run scard apdu -o data a4000c:df01 b00000/05
    assert_failure 1
    [ ! -e data ]
    run scard apdu -k -o data a4000c:df01 a4000c:ffff a4000c:e101 b00000/05
    assert_failure 1
    assert_equal "$(cat data)" Hello
}

@test "an APDU that the shell took apart is put together" {
    run scard apdu 00 A4 00 0C 02 DF 01
    assert_success
    assert_output 9000
    run scard apdu 0x00 0xA4 0x00 0x0C 0x02 0xDF 0x01
    assert_success
    assert_output 9000
}

@test "APDUs from standard input, comments left out" {
    run bash -c 'printf "# select\n\n00A4000C02DF01\n a4000c:e101 \nb00000/05" | "$SCARD_BIN" apdu -'
    assert_success
    assert_output $'9000\n9000\n48656C6C6F9000'
}

@test "data from a file and from standard input" {
    printf 'Hello' >"$BATS_TEST_TMPDIR/data"
    run scard apdu a4000c:df01 a4000c:e107 "d60000:@$BATS_TEST_TMPDIR/data" b00000/05
    assert_line --index 3 48656C6C6F9000
    run bash -c 'printf Hello | "$SCARD_BIN" apdu a4000c:df01 a4000c:e107 d60000:- b00000/05'
    assert_line --index 3 48656C6C6F9000
    run scard apdu d60000:@/nonexistent
    assert_failure
    assert_output --partial "/nonexistent"
}

@test "T=0: Le is cut, GET RESPONSE and the right Le are sent, marked auto" {
    SCARD_READERS="sim:iso?protocol=T0"
    run scard apdu a40400:a0000002471001/00
    assert_success
    assert_output --regexp '^6F[0-9A-F]+9000$'
    run scard apdu --json a40400:a0000002471001/00
    assert_line --index 0 --regexp '"sw":"61..".*"auto":false,"cut":true,.*"last":false'
    assert_line --index 1 --regexp '"c":"00C00000..".*"sw":"9000".*"auto":true,.*"last":true,"data":"6F'
    run scard apdu a4000c:2f01 b00000/ff
    assert_success
    run scard apdu --json a4000c:2f01 b00000/ff
    assert_line --index 1 --regexp '"sw":"6C..".*"last":false'
    assert_line --index 2 --regexp '"sw":"9000".*"auto":true'
}

@test "--raw adds nothing" {
    SCARD_READERS="sim:iso?protocol=T0" run scard --raw apdu 00A4040007A0000002471001
    assert_success
    assert_output --regexp '^61..$'
}

@test "=61xx alone means the word itself" {
    SCARD_READERS="sim:iso?protocol=T0" run scard apdu a40400:a0000002471001=61xx
    assert_success
    assert_output --regexp '^61..$'
}

@test "a PIN from a file or descriptor, and never in the output" {
    printf '1234\n' >"$BATS_TEST_TMPDIR/pin"
    run scard apdu --json --pin-file "$BATS_TEST_TMPDIR/pin" '200001:{pin}='
    assert_success
    assert_output --partial '"c":"0020000104**"'
    assert_output --partial '"masked":true'
    refute_output --partial 31323334
    run bash -c '"$SCARD_BIN" apdu --pin-fd 3 "200001:{pin}=" 3<"$0"' "$BATS_TEST_TMPDIR/pin"
    assert_success
    run scard apdu --json --show-secrets --pin-file "$BATS_TEST_TMPDIR/pin" '200001:{pin}='
    assert_output --partial 002000010431323334
    run scard -v apdu 200001:31323334=
    assert_success
    refute_output --partial 31323334
}

@test "a PIN is asked for on the terminal, without echo" {
    run expect -c '
        set timeout 20
        spawn $env(SCARD_BIN) apdu "200001:{pin}="
        expect "pin: "
        send "1234\r"
        expect eof
        exit [lindex [wait] 3]'
    assert_success
    refute_output --partial 1234
    assert_output --partial "00 20 00 01 04 **"
}

@test "two secrets are two lines" {
    printf '1234\n9876\n' >"$BATS_TEST_TMPDIR/pins"
    run scard apdu --pin-file "$BATS_TEST_TMPDIR/pins" '240001:{pin}{newpin}=' 200001:39383736=
    assert_success
    printf '1234\n' >"$BATS_TEST_TMPDIR/pins"
    run scard apdu --pin-file "$BATS_TEST_TMPDIR/pins" '240001:{pin}{newpin}='
    assert_failure
    assert_output --partial "{newpin}"
}

@test "no terminal to ask on: said, nothing sent" {
    run setsid "$SCARD_BIN" apdu '200001:{pin}='
    assert_failure
    assert_output --partial "--pin-file"
}

@test "no card is status 5" {
    SCARD_READERS="sim:iso?insert=no" run scard apdu b00000/00
    assert_failure 5
    assert_output --partial "scard wait --present"
}

@test "no such reader, and several: status 4, the candidates named" {
    run scard -r nonsense apdu b00000/00
    assert_failure 4
    assert_output --partial "0 scard sim:iso 00 00"
    SCARD_READERS="sim:iso,sim:echo" run scard apdu b00000/00
    assert_failure 4
    assert_output --partial "1 scard sim:echo 01 00"
    SCARD_READERS="sim:iso,sim:echo" run scard -r SIM apdu b00000/00
    assert_failure 4
}

@test "a reader is picked by number, name, part, device and SCARD_READER" {
    SCARD_READERS="sim:iso,sim:echo"
    for reader in 1 '#1' 'scard sim:echo 01 00' ECHO sim:echo; do
        run scard -r "$reader" apdu 80000000:AABB
        assert_output AABB9000
    done
    SCARD_READER=echo run scard apdu 80000000:AABB
    assert_output AABB9000
    SCARD_READER=echo run scard apdu -r iso a4000c:df01
    assert_output 9000
}

@test "a mute card is status 9, a card that leaves in the middle of a command is status 8" {
    SCARD_READERS="sim:odd?mute=yes" run scard apdu 80220000
    assert_failure 9
    SCARD_READERS=sim:odd run scard apdu 80200001
    assert_failure 8
    assert_output --partial "the card left"
}

@test "--timeout ends an exchange that hangs: status 10" {
    SCARD_READERS=sim:odd run scard --timeout 0.2 apdu 8012EA60
    assert_failure 10
    assert_output --partial "0.2 seconds"
}

@test "SIGINT ends an exchange that hangs: status 130" {
    SCARD_READERS=sim:odd run expect -c '
        set timeout 20
        spawn $env(SCARD_BIN) -v apdu 8012EA60
        expect "card in"
        send "\003"
        expect eof
        exit [lindex [wait] 3]'
    assert_failure 130
}

@test "64 KiB go through, both ways" {
    data=$(head -c 60000 /dev/zero | tr '\0' A)
    SCARD_READERS=sim:echo run scard apdu "80000000:\"$data\"/0000"
    assert_success
    [ "${#output}" -eq $((2 * 60000 + 4)) ]
}

@test "usage errors are JSON, too, when asked for" {
    run scard apdu --json
    assert_failure 2
    assert_output --regexp '^\{"v":1,"t":"error","code":2,"name":"usage","scard":null,"detail":"apdu needs APDU'
}

@test "a reader of the output that goes away ends the command with 141" {
    run bash -c 'yes 80000000:41 | "$SCARD_BIN" --readers sim:echo apdu - | head -1; exit ${PIPESTATUS[1]}'
    assert_failure 141
}

@test "63Cx is told as what it is for the command" {
    run scard --json apdu 00200081 00200081
    assert_output --partial '"meaning":"not verified, 3 tries left"'
    run scard --json apdu 20:"1235"
    assert_output --partial '"meaning":"verification failed, 2 tries left"'
    assert_output --partial "the card answered 63C2 (verification failed, 2 tries left)"
}

@test "--decode explains the answer to people, and changes nothing for others" {
    run on_terminal apdu --decode 00A40000023F0000
    assert_success
    assert_output --regexp '6F  file control information \(FCI\), 32 bytes'
    assert_output --partial '    83  file identifier  3F 00'
    assert_output --partial '    50  application label: "scard simulated card"'
    run on_terminal apdu 00A40000023F0000
    refute_output --partial 'file identifier'
    run scard apdu --decode 00A40000023F0000
    assert_output '6F2082013883023F008A0105501473636172642073696D756C6174656420636172649000'
    plain=$(scard apdu --json 00A40000023F0000 | sed 's/"ms":[^,]*//')
    run scard apdu --json --decode 00A40000023F0000
    [ "$(sed 's/"ms":[^,]*//' <<<"$output")" = "$plain" ]
}

@test "--decode: text is shown, bytes that say nothing are not; data that came in parts are one" {
    SCARD_READERS=sim:echo run on_terminal apdu --decode '80000000:"some text"' 80000000:0102030405060708
    assert_success
    assert_output --partial 'data  text: "some text"'
    refute_line --regexp '^[^<>]*01 02 03'
    SCARD_READERS='sim:iso?protocol=t0' run on_terminal apdu --decode 00A40000023F0000
    assert_output --partial '(auto)'
    assert_output --partial '    83  file identifier  3F 00'
}
