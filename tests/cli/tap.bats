#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# scard run --tap, and what scard record makes for it.
load helper

setup() {
    clean_environment
    cd "$BATS_TEST_TMPDIR" || return
}

@test "each expectation is a test, wrong ones say what was got" {
    cat >card.scard <<'END'
00A4000C022FE2 =9000
00B0000004
list
00B0000002 =[9Fx0]9000
00A4000C023FFF =9000|61xx
00B0000000 =[98..]
END
    run scard run --tap card.scard
    assert_failure 1
    assert_output "TAP version 13
ok 1 - 00A4000C022FE2 =9000
not ok 2 - 00B0000002 =[9Fx0]9000
  ---
  command: \"00B0000002\"
  expected: \"[9Fx0]9000\"
  got: \"98999000\"
  at: \"card.scard:4\"
  ...
not ok 3 - 00A4000C023FFF =9000|61xx
  ---
  command: \"00A4000C023FFF\"
  expected: \"9000|61xx\"
  got: \"6A82\"
  at: \"card.scard:5\"
  ...
ok 4 - 00B0000000 =[98..]9000
1..4"
}

@test "an assert is a test; one that fails is no end" {
    cat >card.scard <<'END'
00A4000C022FE2 =9000
assert $SW == 6A82
assert $SW ~ ^9
assert 'a "#" b' != 'A "#" b'
00A4000C022FE2 =9000
END
    run_apart "$SCARD_BIN" run --tap card.scard
    assert_failure 1
    assert_output 'TAP version 13
ok 1 - 00A4000C022FE2 =9000
not ok 2 - assert 9000 == 6A82
  ---
  expected: "== 6A82"
  got: "9000"
  at: "card.scard:2"
  ...
ok 3 - assert 9000 ~ ^9
not ok 4 - assert a "\#" b != A "\#" b
  ---
  expected: "!= A \"#\" b"
  got: "a \"#\" b"
  at: "card.scard:4"
  ...
ok 5 - 00A4000C022FE2 =9000
1..5'
    [ -z "$errors" ]
    printf '00A4000C022FE2 =9000\nassert $SW ~ (\n' >card.scard
    run scard run --tap card.scard
    assert_failure 2
    assert_output --partial 'Bail out! card.scard:2: usage'
}

@test "perl's prove takes it" {
    printf '00A4000C022FE2 =9000\n00B0000004 =[98992710]9000\n' >card.scard
    run prove --exec "$SCARD_BIN run --tap" card.scard
    assert_success
    assert_output --partial 'Tests=2'
}

@test "another failure bails out" {
    printf '00A4000C022FE2 =9000\nnonsense\n00A4000C022FE2 =9000\n' >card.scard
    run_apart "$SCARD_BIN" run --tap card.scard
    assert_failure 2
    assert_output "TAP version 13
ok 1 - 00A4000C022FE2 =9000
Bail out! card.scard:2: usage
1..1"
    [[ $errors == 'scard: card.scard:2: '* ]]
}

@test "PINs are not in it" {
    echo '0020008104"1234" =9000' >card.scard
    run scard run --tap card.scard
    assert_success
    assert_output --partial 'ok 1 - 0020008104** =9000'
}

@test "a recorded script passes on the card and on its recording; one changed byte is one failure" {
    printf '%s\n' 00A4000C022FE2 00B0000004 0020008104'"1234"' 00A4000C023FFF=6A82 |
        scard run --trace card.scard - >/dev/null
    printf '%s\n' 00A4000C022FE2 00B0000004 0020008104'"1234"' 00A4000C023FFF=6A82 |
        scard run --trace card.jsonl - >/dev/null
    sed -i 's/:{pin:4}/31323334/;s/^00200081/0020008104/' card.scard
    run scard run --tap card.scard
    assert_success
    assert_line --index 4 'ok 4 - 00A4000C023FFF =6A82'
    run scard run --readers replay:card.jsonl --tap card.scard
    assert_success
    sed -i 's/"98992710"/"98992711"/' card.jsonl
    run scard run --readers replay:card.jsonl --tap card.scard
    assert_failure 1
    assert_line --index 2 'not ok 2 - 00B0000004 =[98992710]9000'
    [ "$(grep -c '^not ok' <<<"$output")" -eq 1 ]
}

@test "without --tap wrong data ends the script" {
    printf '00A4000C022FE2\n00B0000002 =[9Fx0]9000\n' >card.scard
    run scard run card.scard
    assert_failure 1
    assert_output --partial 'card.scard:2: the card answered other data than expected: [9Fx0]9000.'
    run scard apdu '00B0000002 =[9'
    assert_failure 2
    assert_output --partial "']' is missing"
}

@test "progress of many lines is for a terminal, and none of it is in a pipe" {
    for i in $(seq 40); do echo '8010000A =9000'; done >slow.scard
    export SCARD_READERS=sim:odd
    script -qec "$SCARD_BIN run --tap slow.scard >out" /dev/null </dev/null >shown
    grep -q 'of 40 lines' shown
    run tail -n 1 out
    assert_output 1..40
    scard run --tap slow.scard 2>errors >/dev/null
    [ ! -s errors ]
}
