#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# People, pipes and JSON.
load helper

@test "errors go to stderr, with --json to stdout as an object" {
    run_apart "$SCARD_BIN" apdu -r nonsense 00A4
    assert_failure 4
    assert_output ""
    [[ $errors == "scard: no reader matches"* ]]
    run_apart "$SCARD_BIN" --json apdu -r nonsense 00A4
    assert_failure 4
    [ -z "$errors" ]
    assert_output --regexp '^\{"v":1,"t":"error","code":4,"name":"reader","scard":null,"detail":".+","fix":".+"\}$'
}

@test "PC/SC codes are named in JSON" {
    SCARD_READERS="sim:iso?insert=no" run scard --json apdu b00000/00
    assert_failure 5
    assert_output --partial '"code":5,"name":"no-card","scard":"0x8010000C"'
}

@test "every line of --json is one object" {
    for command in list groups version status atr attrib reset "apdu a4000c:df01" help "help apdu" "apdu -h"; do
        run scard --json $command
        assert_success
        [ -n "$output" ]
        for line in "${lines[@]}"; do
            [[ $line == '{"v":1,"t":"'*'}' ]]
        done
    done
    run scard --json help connect
    assert_output --regexp '"t":"command","name":"connect",.*"usage":"scard connect \[OPTIONS\]",.*"options":\["'
}

@test "people see command, answer, meaning" {
    run on_terminal apdu a4000c:df01
    assert_output --partial "> 00 A4 00 0C 02 DF 01"
    assert_output --partial SELECT
    assert_output --partial 9000
    assert_output --partial ms
}

@test "a full disk is noticed" {
    run bash -c '"$SCARD_BIN" list >/dev/full'
    assert_failure 9
    assert_output --partial "cannot write"
}

@test "--verbose logs to stderr" {
    run_apart "$SCARD_BIN" -v apdu b00000/00
    [[ $errors == *"scard: debug: "* ]] || [ -z "$errors" ]
    [[ $output != *debug* ]]
}

@test "words that come from outside do not steer the terminal" {
    run scard $'\e[31mred\a'
    assert_failure 2
    assert_output 'scard: there is no command "?[31mred?". "scard help" lists all commands.'
    run scard apdu -r $'\e[8m' 00A4
    assert_failure 4
    refute_output --partial $'\e'
}

@test "a word that is no command is told in short, and not at all if it may be an APDU" {
    run scard "$(printf 'word%.0s' {1..5000})"
    assert_failure 2
    [ ${#output} -lt 200 ]
    run scard "00200001 04 31323334"
    assert_failure 2
    assert_output --partial "apdu APDU"
    refute_output --partial 313233
}
