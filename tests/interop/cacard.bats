#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# libcacard through the program: a background session holds the reader's port open, the card program plugs in, is
# used, and is pulled out while a command waits.

setup() {
    load /usr/lib/bats/bats-support/load.bash
    load /usr/lib/bats/bats-assert/load.bash
    export SCARD_READERS=vpcd:0 SCARD_SESSION=interop-$BASHPID
    # A place for the session that no other test shares.
    export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run
    mkdir -m 700 "$XDG_RUNTIME_DIR"
    atr=3B7A18000073667465206364313434
    "$SCARD_BIN" connect --share direct
    port=$("$SCARD_BIN" list --json | jq -r '.device | ltrimstr("vpcd:")')
}

teardown() {
    "$SCARD_BIN" release || true
    [ -z "${bridge:-}" ] || { kill -KILL "$bridge" && wait "$bridge"; } 2>/dev/null || true
}

insert() {
    "$CACARD_BRIDGE" "$port" "$NSSDB" >/dev/null 3>&- &
    bridge=$!
    run "$SCARD_BIN" wait --present --timeout 60
    assert_success
    assert_output --partial "$atr"
}

@test "list, connect, select, read with GET RESPONSE, status, release" {
    insert
    run "$SCARD_BIN" list
    assert_success
    assert_output --regexp "Virtual PCD.*$atr"
    run "$SCARD_BIN" reconnect --share shared
    assert_success
    assert_output --partial 'T=0'

    run "$SCARD_BIN" apdu 00A4040007A000000079010000
    assert_success
    assert_output 6F0B8407A0000000790100A5009000
    run "$SCARD_BIN" apdu --raw 00A4040007A0000000790300=610D 00C000000D
    assert_success
    assert_line --index 0 610D
    assert_line --index 1 6F0B8407A0000000790300A5009000

    # GET RESPONSE unasked: READ BUFFER of the certificate's first bytes, a SEQUENCE of DER behind length and flags.
    "$SCARD_BIN" apdu 00A4040007A0000000790100 >/dev/null
    run "$SCARD_BIN" apdu 80520000020210
    assert_success
    assert_output --regexp '^[0-9A-F]{4}003082[0-9A-F]+9000$'

    run "$SCARD_BIN" apdu 00A4040007A0000000799900
    assert_failure 1
    run "$SCARD_BIN" status
    assert_success
    assert_line --regexp '^protocol.*T=0$'
    assert_line --regexp "^atr.*$atr\$"
    run "$SCARD_BIN" release
    assert_success
    run "$SCARD_BIN" release # there is none any more
    assert_failure
}

@test "the card is pulled out while a command waits, and another is put in" {
    insert
    "$SCARD_BIN" reconnect --share shared
    "$SCARD_BIN" wait --absent --timeout 60 3>&- &
    waiter=$!
    kill -KILL "$bridge"
    wait "$bridge" 2>/dev/null || true
    wait "$waiter"

    run "$SCARD_BIN" apdu 00A4040007A0000000790100
    assert_failure 8
    run "$SCARD_BIN" list
    assert_success
    assert_output --partial empty

    insert
    run "$SCARD_BIN" apdu 00A4040007A0000000790100
    assert_failure 8
    run "$SCARD_BIN" reconnect
    assert_success
    run "$SCARD_BIN" apdu 00A4040007A0000000790300
    assert_success
}
