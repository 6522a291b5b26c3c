#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

@test "the default group" {
    run scard groups
    assert_success
    assert_output 'SCard$DefaultReaders'
    run scard groups --json
    assert_output '{"v":1,"t":"group","name":"SCard$DefaultReaders"}'
}
