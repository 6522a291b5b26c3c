#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# scard record, and replay:FILE: a recorded card as a reader.
load helper

setup() {
    clean_environment
    cd "$BATS_TEST_TMPDIR" || return
}

# A card with a PIN, read before and after it.
session() {
    printf '%s\n' 00A4000C022FE2 00B0000004 0020008104"31323334" 00B0000404 00A4000C023FFF=6A82
}

on_replay() {
    SCARD_READERS=replay:$1 scard run "${@:2}"
}

@test "lines of standard input are recorded, and the replay answers as the card" {
    session | scard record card.jsonl >first
    session | on_replay card.jsonl - >second
    cmp first second
    # Over and over, also in one connection.
    { session && session; } | on_replay card.jsonl - >third
    cmp <(cat first first) third
    run scard --readers replay:card.jsonl list --json
    assert_output --partial '"atr":"3B9F968131FE458031E073F741FF5373696D830590005B"'
    assert_output --partial 'scard replay:card.jsonl 00 00'
}

@test "a program is recorded, with its exit status" {
    scard record card.jsonl "$PCSC_PROGRAM" list
    run scard record card.jsonl -- sh -c 'exit 7' --json
    assert_failure 7
    run scard record
    assert_failure 2
    run scard record card.jsonl --
    assert_failure 2
}

@test "files of other programs and scripts replay as well" {
    for file in card.dump card.cardpeek card.gp card.scard; do
        session | scard record "$file" >first
        session | on_replay "$file" - >second
        cmp first second
    done
    run head -n 2 card.dump
    assert_line --index 0 '# ATR: 3B9F968131FE458031E073F741FF5373696D830590005B'
    assert_line --index 1 '# PROTOCOL: T=1'
}

@test "strict: what was not recorded there fails, and says what was" {
    session | scard record card.jsonl >/dev/null
    run on_replay card.jsonl -c '00A4000C022FE2; 00B0000005'
    assert_failure 9
    assert_output --partial 'card.jsonl, line 3: recorded was 00B0000004, the program sent 00B0000005; write ?match=lenient'
    refute_output --partial 'Reset the card'
    run on_replay 'card.jsonl?else=6D00' -c '00A4000C022FE2; 00B0000005'
    assert_failure 1
    assert_line --index 1 6D00
    # Any PIN is the right one, and none is told.
    run on_replay card.jsonl -c '00A4000C022FE2; 00B0000004; 00200082:7777'
    assert_failure 9
    assert_output --partial 'recorded was 0020008104**, the program sent 0020008202**'
    refute_output --partial 7777
}

@test "strict: a program that ends early begins anew" {
    session | scard record card.jsonl >/dev/null
    run on_replay card.jsonl -c '00A4000C022FE2; 00B0000004; reset; 00A4000C022FE2; 00B0000004'
    assert_success
}

@test "lenient: any order, each its next answer" {
    printf '84/04\n00A4000C022FE2\n84/04\n' | scard record card.jsonl >recorded
    on_replay 'card.jsonl?match=lenient' -c '00A4000C022FE2; 84/04; 84/04; 84/04' >replayed
    mapfile -t answers <recorded
    cmp replayed <(printf '%s\n' "${answers[@]:1:2}" "${answers[0]}" "${answers[2]}")
    run on_replay 'card.jsonl?match=lenient' -c 00B0000000
    assert_failure 9
    assert_output --partial 'no answer to 00B0000000 was recorded; write ?else=6A82 behind'
    refute_output --partial 'Reset the card'
}

@test "fuzz: damage comes again with its seed" {
    for i in $(seq 50); do echo 00A40000022FE200; done | scard record card.jsonl >plain
    for file in a1 b1 c2; do
        for i in $(seq 50); do echo '00A40000022FE200=xxxx'; done |
            on_replay "card.jsonl?match=fuzz&rate=50&seed=${file:1}" --keep-going - >$file 2>/dev/null || true
    done
    cmp a1 b1
    run cmp a1 c2
    assert_failure
    run cmp a1 plain
    assert_failure
}

@test "of several readers the one that is asked for" {
    export SCARD_READERS=sim:iso,sim:echo
    scard run --trace two.jsonl -c 'apdu -r sim:iso 00A4000C022FE2; apdu -r sim:echo 8010000002ABCD' >/dev/null
    run scard --readers 'replay:two.jsonl?reader=echo' apdu 8010000002ABCD
    assert_output ABCD9000
    run scard --readers replay:two.jsonl apdu 00A4000C022FE2
    assert_output 9000
    run scard --readers 'replay:two.jsonl?reader=none' list
    assert_output --partial "no reader with 'none' in its name was recorded"
}

@test "a damaged recording is a reader that says why" {
    printf '{"v":1,"t":"session"}\n{"v":1,"t":"apdu","c":"00A4","sw":"90"}\n' >bad.jsonl
    run scard --readers replay:bad.jsonl apdu 00A4000C022FE2
    assert_failure
    assert_output --partial 'bad.jsonl, line 2: "sw" has 1 bytes, a status word has two'
    run scard --readers replay:none.jsonl apdu 00A4000C022FE2
    assert_failure
    assert_output --partial 'cannot open none.jsonl'
    run scard --readers 'replay:bad.jsonl?match=often' list
    assert_failure
    assert_output --partial 'match=often is not known; say strict, lenient or fuzz'
}

@test "a shell records between record and --stop" {
    in_shell 00A4000C022FE2 'record a.jsonl' 00B0000004 'record --stop' 00B0000002 >/dev/null
    run jq -r 'select(.t == "apdu") | .c' a.jsonl
    assert_output 00B0000004
}

@test "a shell tells that it records" {
    run in_shell 'set json on' 'record a.jsonl' 'record --stop'
    assert_line '{"v":1,"t":"recording","file":"a.jsonl"}'
    assert_line '{"v":1,"t":"recording","file":null}'
}
