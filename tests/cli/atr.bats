#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

@test "of the card" {
    run scard atr
    assert_success
    assert_line $'reader\tscard sim:iso 00 00'
    assert_line $'protocols\tT=1'
    assert_line $'convention\tdirect'
}

@test "of one given, without any reader" {
    SCARD_READERS= run scard atr 3B 65 00 00 20 63 CB 68 00
    assert_success
    assert_line $'atr\t3B650000 2063CB6800' || assert_line $'atr\t3B6500002063CB6800'
    assert_line $'protocols\tT=0'
    assert_line $'history\t2063CB6800'
}

@test "faults are named" {
    run scard atr 3B8F8001804F0CA000000306030001000000006B
    assert_success
    assert_output --partial "TCK is wrong"
}

@test "what is no ATR is usage" {
    run scard atr 00
    assert_failure 2
    run scard atr xyz
    assert_failure 2
}

@test "every byte is explained" {
    run scard atr 3BFD1300008131FE158073C021C057597562694B657940
    assert_line $'part\t0\tTS\t3B\tdirect convention'
    assert_line --partial $'TA1\t13\tFi=372, Di=4'
    assert_line --partial $'TA3\tFE\tT=1: the card takes blocks of up to 254 bytes'
    assert_line $'part\t1\t5\t597562694B6579\tcard issuer\'s data: "YubiKey"'
    assert_line $'part\t0\tTCK\t40\tcheck byte, right'
    # All bytes of the outermost parts are the ATR again.
    assert_equal "$(awk -F'\t' '$1 == "part" && $2 == 0 { printf "%s", $4 }' <<<"$output")" \
        3BFD1300008131FE158073C021C057597562694B657940
}

@test "the card's name is in the list of whoever has one" {
    printf '%s\n' "# a list" "3B 65 00 .. 20 [63]3 CB 68 0." $'\tA card, of some kind' $'\thttps://example.org' "" \
        "3B 65 00 00 20 63 CB 68 00" $'\tThe same, literally' "" "3B 02" $'\tanother' >"$BATS_TEST_TMPDIR/list"
    SMARTCARD_LIST=$BATS_TEST_TMPDIR/list run scard atr 3B6500002063CB6800
    assert_line $'card\tA card, of some kind'
    assert_line $'card\thttps://example.org'
    assert_line $'card\tThe same, literally'
    refute_line $'card\tanother'
    unset SMARTCARD_LIST
    cp "$BATS_TEST_TMPDIR/list" "$BATS_TEST_TMPDIR/smartcard_list.txt"
    XDG_CACHE_HOME=$BATS_TEST_TMPDIR run scard --json atr 3B6500002063CB6800
    assert_line --index 0 --partial '"cards":["A card, of some kind","https://example.org","The same, literally"]'
    mkdir "$BATS_TEST_TMPDIR/home"
    mv "$BATS_TEST_TMPDIR/smartcard_list.txt" "$BATS_TEST_TMPDIR/home/.smartcard_list.txt"
    HOME=$BATS_TEST_TMPDIR/home XDG_CACHE_HOME=$BATS_TEST_TMPDIR run scard atr 3B02
    assert_line $'card\tanother'
}

@test "without a list, or with one that cannot be read, there is no name" {
    SMARTCARD_LIST=$BATS_TEST_TMPDIR/none run scard atr 3B6500002063CB6800
    assert_success
    refute_line --regexp '^card'
    SMARTCARD_LIST=/ run scard atr 3B6500002063CB6800
    assert_success
}

@test "no card is status 5, a mute one 9" {
    SCARD_READERS="sim:iso?insert=no" run scard atr
    assert_failure 5
    SCARD_READERS="sim:odd?mute=yes" run scard atr
    assert_failure 9
}
