#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What shells and scripts have beyond commands: variables, settings, channels.
load helper

@test "variables stand for their texts; the last answer is in _ and SW" {
    run in_shell 'let fid = 3F00' '00A40000 02 $fid' 'echo "$SW"' '00A40000023F0000' 'let saved $_' 'echo ${saved}!'
    assert_success
    assert_line --index 1 9000
    assert_line --index 3 --regexp '^6[0-9A-F]+!$'
}

@test "a dollar sign that begins no variable stays; one that is not set is an error" {
    run in_shell 'echo SCard$DefaultReaders' "echo '\$no'" 'echo \$no'
    assert_success
    assert_line --index 0 'SCard$DefaultReaders'
    assert_line --index 1 '$no'
    assert_line --index 2 '$no'
    run in_shell 'echo $no'
    assert_failure 2
    assert_output --partial "the variable no is not set"
}

@test "let lists, and refuses what is no name" {
    run in_shell 'let a = 1 2' 'let'
    assert_output $'a\t1 2'
    run in_shell 'let 1a = 2'
    assert_failure 2
    assert_output --partial '"1a" is no name'
}

@test "set lists what is in force, the protocol too" {
    run in_shell 'set protocol t1' 'set'
    assert_success
    assert_line $'protocol\tt1'
    assert_line $'share\tshared'
}

@test "assert holds or is status 1" {
    run in_shell '00A40000023F00' 'assert $SW == 9000' 'assert $SW != 6A82' 'assert $SW ~ ^9'
    assert_success
    run in_shell '00A40000023F00' 'assert $SW == 6A82'
    assert_failure 1
    assert_output --partial "assert: not 9000 == 6A82"
    run in_shell 'assert a ~ ('
    assert_failure 2
    assert_output --partial "no regular expression"
}

@test "source shares the variables, also those that it sets; it cannot go on for ever" {
    echo 'let b = $a$a' >"$BATS_TEST_TMPDIR/one.scard"
    run in_shell 'let a = 12' "source $BATS_TEST_TMPDIR/one.scard" 'echo $b'
    assert_success
    assert_output 1212
    echo "source $BATS_TEST_TMPDIR/self.scard" >"$BATS_TEST_TMPDIR/self.scard"
    run in_shell "source $BATS_TEST_TMPDIR/self.scard"
    assert_failure 2
    assert_output --partial "does one run itself?"
}

@test "set changes what follows, and lists" {
    run in_shell 'set json on' '00A40000023F00' 'set json off' 'echo x'
    assert_success
    assert_line --index 0 --partial '"t":"apdu"'
    assert_line --index 1 x
    run in_shell set
    assert_line $'auto\ton'
    assert_line $'timeout\toff'
    run in_shell 'set timeout 250ms' set
    assert_line $'timeout\t0.25 s'
    run in_shell 'set auto perhaps'
    assert_failure 2
    run in_shell 'set hints on'
    assert_failure 2
    assert_output --partial "cannot be set in a script"
}

@test "set stop off lets a script go on; its status is that of the first failure" {
    run in_shell 'set stop off' '00A4000002FFFF' 'echo on'
    assert_failure 1
    assert_line on
}

@test "set trace writes what passes, and ends" {
    run in_shell "set trace $BATS_TEST_TMPDIR/t.jsonl" '00A40000023F00' 'set trace off' '00B0000001 =xxxx'
    assert_success
    run cat "$BATS_TEST_TMPDIR/t.jsonl"
    assert_output --partial 00A40000023F00
    refute_output --partial 00B0000001
}

@test "a channel is opened, used and closed: the class says so" {
    run in_shell 'set json on' 'channel open' '00A40000023F00' 'channel close' '00A40000023F00'
    assert_success
    assert_line --partial '"c":"0070000001"'
    assert_line --partial '"t":"channel","channel":1'
    assert_line --partial '"c":"01A40000023F00"'
    assert_line --partial '"c":"00708001"'
    assert_line --index 5 --partial '"c":"00A40000023F00"'
    run in_shell 'channel close'
    assert_failure 2
    run in_shell 'channel use 20'
    assert_failure 2
}

@test "after a reset the basic channel is in use" {
    run in_shell 'channel open' 'reset' 'channel'
    assert_success
    assert_line --index -1 0
}

@test "a value may hold anything: quotes, comments, nothing" {
    run in_shell 'let q = it\'"'"'s \"so\" \#1' 'echo $q' 'echo "$q"' 'let e =' 'assert $e == ""' 'let f=1 2' 'echo [$f]'
    assert_success
    assert_line --index 0 "it's \"so\" #1"
    assert_line --index 1 "it's \"so\" #1"
    assert_line --index 2 '[1 2]'
    run in_shell '00A4000C023F00' 'assert $_ == ""' 'assert $_ != 00'
    assert_success
    run in_shell "let t = '\"text\"'" '80000000:$t =xxxx'
    assert_success
}

@test "a channel that cannot be is none" {
    export SCARD_READERS=sim:echo
    run in_shell 'channel open'
    assert_failure 9
    assert_output --partial "there are 1 to 19"
    run in_shell 'set stop off' 'channel open' 'channel'
    assert_line 0
}
