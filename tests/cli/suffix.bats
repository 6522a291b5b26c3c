#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What may stand behind an APDU, in a command, a script and a shell.

load helper

setup() {
    clean_environment
    cd "$BATS_TEST_TMPDIR" || return
}

readonly FILE='00A4000C02DF01 00A4000C02E101' # whose data are Hello

# hello SUFFIX…: reads the file with that behind the APDU.
hello() {
    # shellcheck disable=SC2086 # two APDUs
    run scard apdu $FILE "00B0000005 $*"
}

@test "~/…/ looks at the data in hex" {
    hello '~/^48656c6c6F$/'
    assert_success
    hello '=9000 ~/^6F/'
    assert_failure 1
    assert_output --partial 'other data than expected: 9000 ~/^6F/'
    hello '~/^6F/'
    assert_failure 1
    assert_output --partial 'expected: ~/^6F/'
    run scard apdu '00A4000C02FFFF ~/./'
    assert_failure 1
    assert_output --partial 'answered 6A82'
}

@test "an expression that is none is refused before anything is sent" {
    run_apart "$SCARD_BIN" apdu '00A4000C023F00' '00B0000005 ~/(/'
    assert_failure 2
    assert_output ''
    [[ $errors == *'"(" is no regular expression'*'Nothing was sent'* ]]
    for wrong in '~6F' '~/6F' '>' '@5s @6s' '=9000 =6A82' '>a >b' '?'; do
        run_apart "$SCARD_BIN" apdu "00B0000005 $wrong"
        assert_failure 2
        [[ $errors == *'column '* ]]
    done
}

@test ">FILE and >>FILE keep the data" {
    hello '>out'
    assert_success
    assert_output --partial 48656C6C6F9000
    assert_equal "$(<out)" Hello
    hello '=9000>>out'
    assert_equal "$(<out)" HelloHello
    hello '> "a name"'
    assert_equal "$(<'a name')" Hello
    hello '>out =6A82'
    assert_failure 1
    assert_equal "$(<out)" HelloHello
}

@test "an answer is written into regular files only" {
    echo kept >target
    ln -s target link
    mkfifo pipe
    hello '>link'
    assert_failure
    assert_output --partial 'link is a symbolic link'
    assert_equal "$(<target)" kept
    for place in pipe /dev/full; do
        hello ">$place"
        assert_failure
        assert_output --partial "$place is no regular file"
    done
    hello '>none/out'
    assert_failure
    assert_output --partial 'cannot write none/out: No such file'
}

@test "! sends an APDU as it stands" {
    SCARD_READERS=sim:iso run scard apdu '00A4040005A0!'
    assert_failure 1
    run scard apdu '00A4040007A0000002471001!'
    assert_line --index 0 --regexp '^(61..|([0-9A-F]{2})*9000)$'
    run scard apdu '00A4040005A0'
    assert_failure 2
}

@test "@5s is a deadline, and a file behind a ':' is not" {
    hello '@5s'
    assert_success
    hello '@5s=9000@'
    assert_failure 2
    printf '\xdf\x01' >5s
    run scard apdu a4000c:@5s
    assert_success
    hello '@5000ms !=9000 >out ~/^48/'
    assert_success
    assert_equal "$(<out)" Hello
}

@test "all of them in a script and a batch shell" {
    printf '%s\n' 00A4000C02DF01 00A4000C02E101 '00B0000005=9000 ~/^48/ >out @5s # comment' >lines
    run scard run lines
    assert_success
    assert_equal "$(<out)" Hello
    run "$SCARD_BIN" shell <lines
    assert_success
    run scard run --tap lines
    assert_success
    assert_output --partial 'ok 1'
}

@test "a suffix hides no secret" {
    for suffix in '>out' '!' '~/x/' ' @5s' '=9000'; do
        run scard apdu --json "002000800831323334FFFFFFFF$suffix"
        refute_output --partial 31323334
    done
}

@test "a deadline that runs out ends the exchange with status 10, and only that" {
    run scard --readers 'sim:odd?delay=3000' apdu '00A4000C023F00 @100ms' 00A4000C023F00
    assert_failure 10
    assert_output --partial 'took longer than the 0.1 seconds behind the APDU'
    refute_line 9000
    SCARD_READERS='sim:odd?delay=300' run scard run -k -c '00A4000C023F00 @20ms; 00A4000C023F00 @1m'
    assert_failure 10
    assert_line --regexp '^([0-9A-F]{2})*(9000|6...)$'
}
