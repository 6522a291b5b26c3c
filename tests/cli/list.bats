#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

@test "one line for each reader, tabs between the columns" {
    SCARD_READERS="sim:iso,sim:iso?insert=no&serial=two" run scard list
    assert_success
    assert_line --index 0 --regexp $'^0\tscard sim:iso 00 00\tcard\t\t3B[0-9A-F]+\t$'
    assert_line --index 1 $'1\tscard sim:iso (two) 01 00\tempty\t\t\t'
}

@test "--quiet prints names only" {
    run scard list -q
    assert_success
    assert_output "scard sim:iso 00 00"
}

@test "--has-card: only readers with one, by their numbers; none is status 5" {
    export SCARD_READERS="sim:iso?insert=no,sim:iso?serial=two"
    run scard list --has-card
    assert_success
    assert_output --regexp $'^1\tscard sim:iso [(]two[)] 01 00\tcard\t'
    run scard list -q --has-card
    assert_output "scard sim:iso (two) 01 00"
    export SCARD_READERS="sim:iso?insert=no"
    run_apart "$SCARD_BIN" list --has-card
    assert_failure 5
    assert_output ""
    [[ $errors == *"scard wait --present"* ]]
}

@test "--json prints one object for each reader" {
    run scard --json list
    assert_success
    assert_output --regexp '^\{"v":1,"t":"reader","number":0,"name":"scard sim:iso 00 00","state":"card","use":"","atr":"3B[0-9A-F]*","problem":"","device":"sim:iso","events":1,"card":\[.*\]\}$'
}

@test "a mute card is told" {
    SCARD_READERS="sim:odd?mute=yes" run scard list
    assert_success
    assert_output --partial $'\tmute\t'
}

@test "no readers: status 4 and what to do" {
    SCARD_READERS= run scard list
    assert_failure 4
    assert_output --partial "--readers sim:iso"
}

@test "--readers adds readers, before and behind the command" {
    unset SCARD_READERS
    run scard --readers sim:echo list -q
    assert_output "scard sim:echo 00 00"
    run scard list -q --readers=sim:echo,sim:iso
    assert_line --index 1 "scard sim:iso 01 00"
}

@test "a reader URI that is wrong is named" {
    SCARD_READERS=sim:nonsense run scard list
    assert_failure
    assert_output --partial nonsense
}

@test "colour on a terminal only, and not with NO_COLOR" {
    run on_terminal list
    assert_output --partial $'\033['
    NO_COLOR=1 run on_terminal list
    refute_output --partial $'\033['
}
