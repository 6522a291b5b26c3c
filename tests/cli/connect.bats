#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# connect, reconnect, disconnect, begin, end: on a connection that lives on. Sessions have tests of their own.
load helper

@test "without a session: status 2, and how to open one" {
    for command in reconnect disconnect begin end release cancel; do
        run scard $command
        assert_failure 2
        assert_output 'scard: no session is open. Open one with "scard connect -r READER".'
    done
}

@test "the selection lives over several commands" {
    run in_shell connect "apdu a4000c:df01" "apdu a4000c:e101" "apdu b00000/05" disconnect
    assert_success
    assert_line 48656C6C6F9000
}

@test "connect tells reader, mode, protocol and ATR" {
    run in_shell "connect --share exclusive"
    assert_output --regexp $'^scard sim:iso 00 00\texclusive\tT=1\t3B'
    SCARD_READERS="sim:iso?insert=no" run in_shell "connect --share direct" status
    assert_line --index 0 $'scard sim:iso 00 00\tdirect\tnone\t'
    assert_success
}

@test "a protocol is written in capitals, too" {
    run in_shell "connect --protocol T1"
    assert_success
    assert_output --regexp $'\tshared\tT=1\t'
}

@test "a second connect is refused" {
    run in_shell connect connect
    assert_failure 2
    assert_output --partial "is connected already"
}

@test "not connected: said" {
    for command in reconnect disconnect begin end; do
        run in_shell $command
        assert_failure 2
        assert_output --partial "no card is connected"
    done
}

@test "transactions nest, and end without begin is refused" {
    run in_shell connect begin begin end end
    assert_success
    run in_shell connect end
    assert_failure 2
    assert_output --partial "no transaction is open"
}

@test "another reader beside the connected one" {
    SCARD_READERS="sim:iso,sim:echo" run in_shell "connect -r iso" "apdu a4000c:df01" "apdu -r echo 80000000:AABB" "apdu a4000c:e101"
    assert_success
    assert_line AABB9000
}

@test "--share of a command does not change the connection" {
    run in_shell connect "apdu --share exclusive b00000/00"
    assert_failure 2
    assert_output --partial "reconnect --share"
}

@test "reconnect changes the mode and resets on request" {
    run in_shell connect "reconnect --share exclusive" "apdu a4000c:df01" "reconnect --card reset" "apdu a4000c:e101"
    assert_line --regexp $'^scard sim:iso 00 00\texclusive'
    assert_failure 1
}

@test "disconnect resets the card after a PIN" {
    run in_shell "connect" "apdu 200001:31323334=" "disconnect --json"
    assert_success
    assert_output --partial '"card":"reset"'
    run in_shell connect "disconnect --json"
    assert_output --partial '"card":"leave"'
}

@test "after a removal: status 8 until reconnect" {
    removal=("control remove" "wait --absent -q" "control insert" "wait --present -q")
    run in_shell connect "${removal[@]}" "apdu b00000/00"
    assert_failure 8
    assert_output --partial "reconnect"
    run in_shell connect "${removal[@]}" reconnect "apdu a4000c:df01"
    assert_success
}

@test "a protocol may be written as the standard has it" {
    run in_shell "connect --protocol T=1"
    assert_success
    assert_output --partial "T=1"
}
