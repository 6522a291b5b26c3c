#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# --trace FILE on any command, in every format; Wireshark reads the capture as it is.
load helper

setup() {
    clean_environment
    cd "$BATS_TEST_TMPDIR" || return
}

# fields FILTER FIELD…: of the packets of t.pcapng that the filter takes, with tshark's own settings.
fields() {
    local filter=$1 field options=()

    shift
    for field in "$@"; do
        options+=(-e "$field")
    done
    env -i HOME="$BATS_TEST_TMPDIR" PATH="$PATH" tshark -r t.pcapng -Y "$filter" -T fields "${options[@]}" 2>/dev/null
}

@test "a command's exchanges as JSON lines, with the connection before them" {
    scard apdu --trace t.jsonl 00A4000C022FE2 00B0000004
    run jq -c '[.t, .c, .r, .sw, .name]' t.jsonl
    assert_line --index 0 '["session",null,null,null,null]'
    assert_line --index 1 '["apdu","00A4000C022FE2","","9000","SELECT"]'
    assert_line --index 2 '["apdu","00B0000004","98992710","9000","READ BINARY"]'
    run jq -r 'select(.t == "session") | .reader, .device, .atr, .proto' t.jsonl
    assert_output "$(printf '%s\n' 'scard sim:iso 00 00' sim:iso 3B9F968131FE458031E073F741FF5373696D830590005B T=1)"
    run jq -e 'select(.t == "apdu") | .ms >= 0 and .v == 1' t.jsonl
    assert_success
    [ "$(stat -c %a t.jsonl)" = 600 ]
}

@test "a GET RESPONSE that nobody typed is marked" {
    SCARD_READERS='sim:iso?protocol=T0' scard apdu --trace t.jsonl 00A40000022FE200
    run jq -c 'select(.t == "apdu") | [.c[0:4], .auto]' t.jsonl
    assert_line --index 0 '["00A4",false]'
    assert_line --index 1 '["00C0",true]'
}

@test "Wireshark dissects a capture with no settings: request, response, status word, ATR, reader" {
    scard apdu --trace t.pcapng 00A4000C022FE2 00B0000004 00A4000C023FFF=6A82
    run fields 'iso7816.apdu.ins' frame.interface_name iso7816.apdu.cla iso7816.apdu.ins
    assert_line --index 0 "$(printf 'scard sim:iso 00 00\t0x00\t0xa4')"
    assert_line --index 1 "$(printf 'scard sim:iso 00 00\t0x00\t0xb0')"
    run fields 'iso7816.apdu.sw1' iso7816.apdu.sw1 iso7816.apdu.sw2
    assert_line --index 0 "$(printf '0x90\t0x00')"
    assert_line --index 2 "$(printf '0x6a\t0x82')"
    # Each response is known as that of its request.
    run fields 'iso7816.apdu.sw1 && frame.number == 5' iso7816.resp_to
    assert_output 4
    run fields iso7816.atr iso7816.atr.k iso7816.atr.tck
    assert_output "$(printf '15\t0x5b')"
    run fields 'frame.packet_flags_direction == 2' frame.comment
    assert_line --index 1 'READ BINARY'
    run fields 'frame.packet_flags_direction == 1 && frame.number > 1' frame.comment
    assert_line --index 0 --regexp '^[0-9.]+ ms$'
    run fields 'frame.number == 1' frame.time_epoch
    assert_output --regexp '^[0-9]+\.[0-9]{9}$'
}

@test "every reader is an interface of the capture" {
    export SCARD_READERS=sim:iso,sim:echo
    scard run --trace t.pcapng -c 'apdu -r sim:iso 00B0000004=xxxx; apdu -r sim:echo 00B0000002' >/dev/null
    run fields 'iso7816.apdu.ins' frame.interface_name
    assert_line --index 0 'scard sim:iso 00 00'
    assert_line --index 1 'scard sim:echo 01 00'
}

@test "two processes write one capture, and it is whole" {
    for i in 1 2 3 4; do
        SCARD_TRACE=t.pcapng SCARD_TRACE_FORMAT=pcapng scard run -c \
            "$(for j in $(seq 40); do printf '00A4000C023F00;'; done)" >/dev/null &
    done
    wait
    run fields 'iso7816.apdu.ins' iso7816.apdu.ins
    assert_success
    [ "${#lines[@]}" -eq 160 ]
}

@test "the format is as asked for, or as the name ends" {
    scard apdu --trace t.txt 00A4000C023F00
    run cat t.txt
    assert_line --regexp ' SCardTransmit #1\.1 00A4000C023F00 > 9000  [0-9.]+ ms$'
    scard apdu --trace t --trace-format gp 00A4000C023F00
    run cat t
    assert_line --index 2 'A>> T=1 (4+0002) 00A4000C 02 3F00'
    assert_line --index 3 --regexp '^A<< \(0000\+2\) \([0-9]+ms\) 9000$'
    run scard apdu --trace t --trace-format pcap 00A4000C023F00
    assert_failure 2
    run scard apdu --trace-format gp 00A4000C023F00
    assert_failure 2
    run scard apdu --trace /nowhere/t 00A4000C023F00
    assert_failure 9
    assert_output --partial 'cannot write /nowhere/t'
}

@test "- is standard error" {
    run_apart "$SCARD_BIN" apdu --trace - 00A4000C023F00
    assert_success
    assert_output 9000
    [[ $errors == *' SCardTransmit #1.1 00A4000C023F00 > 9000 '* ]]
}

@test "a shell's trace is of all that it does" {
    printf '00A4000C022FE2\n00B0000004\n' | scard shell --trace t.jsonl
    run jq -r 'select(.t == "apdu") | .c' t.jsonl
    assert_output "$(printf '00A4000C022FE2\n00B0000004')"
}

@test "a session's command is traced into the caller's folder" {
    export SCARD_SESSION=trace-$BASHPID
    scard connect >/dev/null
    scard apdu 00A4000C022FE2
    scard apdu --trace t.jsonl 00B0000004
    scard release
    run jq -r '.t' t.jsonl
    assert_output "$(printf 'session\napdu')"
}

@test "a server's trace has what its clients do, and who they are" {
    mkfifo ready
    "$SCARD_BIN" --json --readers sim:iso serve --socket s --trace t.jsonl >ready 3>&- &
    server=$!
    read -r -t 30 line <ready
    SCARD_SERVICE=unix:s SCARD_READERS= scard apdu 00A4000C022FE2 002000810431323334
    kill "$server"
    wait "$server"
    run jq -c 'select(.t == "apdu") | [.c, .sw]' t.jsonl
    assert_output "$(printf '%s\n' '["00A4000C022FE2","9000"]' '["0020008104**","9000"]')"
    run jq -se --argjson server "$server" 'map(select(.t == "session")) | length > 0 and all(.pid != $server)' t.jsonl
    assert_success
}

@test "exec writes files of every format, too" {
    scard exec --trace-file t.jsonl "$PCSC_PROGRAM" list
    [ -e t.jsonl ]
    scard --trace t.gp exec sh -c 'echo "$SCARD_TRACE $SCARD_TRACE_FORMAT"' >where
    run cat where
    assert_output --regexp '^/.*/t\.gp gp$'
}

@test "no format holds a PIN, but when asked to" {
    for format in jsonl text pcapng gp apdu4j cardpeek scard; do
        scard apdu --trace "t.$format" --trace-format "$format" 00200081:7777=xxxx 0020008108"77777777"=xxxx \
            80D8000004"7777"=xxxx 00200081"7777777"=xxxx 2>/dev/null || true
        run grep -acE '7777|3737' "t.$format"
        assert_output 0
    done
    scard apdu --show-secrets --trace t.jsonl '002000810431323334' >/dev/null
    run jq -r 'select(.t == "apdu") | .c, .masked' t.jsonl
    assert_output "$(printf '002000810431323334\nfalse')"
}

@test "a secret that was asked for is none of the trace, whatever the command" {
    printf 7777 >pin
    scard apdu --pin-file pin --trace t.jsonl '80AA0000:{pin}=xxxx' >/dev/null
    run jq -r 'select(.t == "apdu") | .c' t.jsonl
    assert_output '80AA000004**'
}

@test "a trace into a FIFO ends with its reader, and needs one" {
    mkfifo fifo
    run timeout 20 "$SCARD_BIN" --trace fifo apdu 00B0000004=xxxx
    assert_failure
    assert_output --partial 'cannot write fifo'
    # One line is read, and then nobody reads: much more than a pipe holds is not waited for.
    head -c 1 <fifo >/dev/null &
    run timeout 60 "$SCARD_BIN" --trace fifo --trace-format text bench -n 3000
    assert_output --partial 'the trace is not whole'
    head -c 1 <fifo >/dev/null &
    SCARD_TRACE=fifo run timeout 60 "$SCARD_BIN" bench -n 3000
    assert_success
    SCARD_TRACE=fifo run timeout 60 "$SCARD_BIN" bench -n 3000
    assert_success
}

@test "secrets do not go into a file that others may read, nor anything into another user's" {
    umask 022
    echo old >own
    scard apdu --show-secrets --trace own 00200001:31323334=xxxx
    [ "$(stat -c %a own)" = 600 ]
    grep -q 31323334 own
    echo old >own && chmod 644 own
    SCARD_TRACE=own SCARD_TRACE_SECRETS=1 scard apdu 00200001:31323334=xxxx
    grep -q 'SCardTransmit' own
    run ! grep 31323334 own
    chmod 600 own
    SCARD_TRACE=own SCARD_TRACE_SECRETS=1 scard apdu 00200001:31323334=xxxx
    grep -q 31323334 own

    [ "$(id -u)" = 0 ] || skip 'only root can make a file of another user'
    echo theirs >planted && chown 65534 planted && chmod 666 planted
    run scard apdu --trace planted 00B0000004=xxxx
    assert_failure
    assert_output --partial "another user's"
    SCARD_TRACE=planted scard apdu 00B0000004=xxxx
    [ "$(cat planted)" = theirs ]
}
