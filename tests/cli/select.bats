#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

@test "an application by name, an AID in hex, a file" {
    run scard --json select --file 3F00
    assert_success
    assert_output --partial '"c":"00A40000023F00'
    assert_output --partial '"sw":"9000"'
    run scard --json select piv =6A82
    assert_success
    assert_output --partial '"c":"00A4040009A00000030800001000'
    run scard --json select A000000308 =6A82
    assert_success
    assert_output --partial '"c":"00A4040005A000000308'
    run scard --json select --no-answer --next A000000308 =6xxx
    assert_success
    assert_output --partial '"c":"00A4040205A000000308"'
}

@test "the answer is judged: status 1" {
    run scard select piv
    assert_failure 1
    assert_output --partial "6A82"
}

@test "a name that nobody knows: status 2, the names, nothing sent" {
    run scard select nonsense
    assert_failure 2
    assert_output --partial 'no application is known as "nonsense"'
    assert_output --partial "piv, openpgp"
    run scard select piv 9000
    assert_failure 2
    assert_output --partial "Write it as =9000"
}

@test "names are completed" {
    run scard __complete -- select pi
    assert_output --partial "piv"
}
