#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

@test "by type, by ATR, by mask" {
    scard card introduce Badge --from-card
    run scard locate Badge
    assert_success
    assert_output --partial "scard sim:iso 00 00"
    atr=$(scard atr --json | sed -n 's/.*"t":"atr".*"atr":"\([0-9A-F]*\)".*/\1/p')
    run scard locate --atr "$atr"
    assert_success
    run scard locate --atr 3B00 --timeout 50ms
    assert_failure 10
    run scard locate --atr 3B00
    assert_failure 5
    assert_output --partial "no reader holds such a card"
    run scard locate Nobody
    assert_failure 1
    run scard locate Nobody Badge
    assert_success
    run scard locate
    assert_failure 2
}

@test "waits for the card" {
    scard card introduce Badge --from-card
    export SCARD_READERS="sim:iso?presence=$BATS_TEST_TMPDIR/card"
    "$SCARD_BIN" locate Badge --timeout 60 >"$BATS_TEST_TMPDIR/found" 3>&- &
    locating=$!
    # With its readers open it looks; whenever the card comes, it is found.
    until ls -l "/proc/$locating/fd" 2>/dev/null | grep -q eventpoll; do :; done
    touch "$BATS_TEST_TMPDIR/card"
    wait $locating
    run cat "$BATS_TEST_TMPDIR/found"
    assert_output --partial "scard sim:iso 00 00"
}
