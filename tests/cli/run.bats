#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# scard run: scripts of our own, and scriptor's.

load helper

bats_require_minimum_version 1.5.0

setup() {
    clean_environment
    cd "$BATS_TEST_TMPDIR" || return
}

scard() {
    run --separate-stderr "$SCARD_BIN" "$@"
}

@test "commands and APDUs, comments, joined lines, expectations" {
    cat >test.scard <<'END'
#!/usr/bin/env -S scard run
  # a comment
00 A4 00 0C \
   02 3F 00 =9000   # and behind an APDU
a4000c:3fff=6a82

status --json
END
    scard run test.scard
    assert_success
    assert_line --index 0 9000
    assert_line --index 1 6A82
    assert_line --index 2 --partial '"t":"status"'
}

@test "several files and - work on one connection" {
    echo 00A4000C022FE2 >select
    echo 00B00000004 >wrong
    scard run select - <<<00B0000000
    assert_success
    assert_line --index 1 --regexp '9000$'
    scard run select wrong
    assert_failure 2
    assert_regex "$stderr" '^scard: wrong:1: '
}

@test "the first failure ends all with its status; FILE:LINE is named" {
    printf '00A4000C023F00\n\n00A4000C023FFF =9000\ngroups\n' >test.scard
    scard run test.scard test.scard
    assert_failure 1
    assert_equal "$output" $'9000\n6A82'
    assert_regex "$stderr" '^scard: test.scard:3: .*6A82'
}

@test "--keep-going goes on, and the status is that of the first failure" {
    printf '00A4000C023FFF\nnonsense\nwait --absent --timeout 10ms\n00A4000C023F00\n' >test.scard
    scard run --keep-going test.scard
    assert_failure 1
    assert_line --index 0 6A82
    assert_line --index 1 9000
    assert_regex "$stderr" 'test.scard:1: .*test.scard:2: .*test.scard:3: '
}

@test "JSON has a record with the place behind each error" {
    printf '\n00A4000C023FFF\n' >test.scard
    run "$SCARD_BIN" --json run test.scard
    assert_failure 1
    assert_line --partial '"t":"error"'
    assert_line '{"v":1,"t":"script","file":"test.scard","line":2,"code":1,"name":"answer"}'
}

@test "lines on the command line" {
    scard run -c '00A4000C023F00=; a4000c:"?;"=6a82|6a80' -c 'exit 5; nonsense'
    assert_failure 5
    assert_line --index 0 9000
    scard run -c 'status; nonsense'
    assert_failure 2
    assert_regex "$stderr" '^scard: --command:2: '
}

@test "nothing to run, no such file, and a file that is no text" {
    scard run
    assert_failure 2
    scard run missing
    assert_failure 2
    assert_regex "$stderr" missing
    printf 'status\n\0\1\2' >binary
    scard run binary
    assert_failure 2
    assert_regex "$stderr" '^scard: binary:2: '
}

@test "the reader is that of run; a line may have another" {
    export SCARD_READERS=sim:iso,sim:echo
    scard run -c 00A4000C023F00
    assert_failure 4
    scard run -r sim:iso -c '00A4000C023FFF=6A82; apdu -r sim:echo 00A4000C023FFF=9000; 00A4000C023F00=9000'
    assert_success
}

@test "a script may run a script" {
    echo '00A4000C023F00 =9000' >inner
    printf 'run inner\ngroups\n' >outer
    scard run outer
    assert_success
    assert_equal "${#lines[@]}" 2
}

@test "scriptor's files are read as scriptor reads them" {
    cat >test.apdu <<'END'
# Reset in a comment is none
ReSeT
00A4000C023FFF
00 A4 00 00 \
# between
02 3F 00
00 00
exit
00A4000C023F00
END
    export SCARD_READERS='sim:iso?protocol=T0'
    scard run test.apdu
    assert_success
    # 6A82 stops nothing, 61xx is not followed, and an APDU that is none is sent.
    assert_line --regexp '^6A82$'
    assert_line --regexp '^61..$'
    refute_line --regexp '^6F'
    scard run --scriptor - <test.apdu
    assert_success
    cp test.apdu test.scard
    scard run test.scard
    assert_failure 2
    assert_regex "$stderr" '^scard: test.scard:2: .*ReSeT'
}

@test "in scriptor's files an expectation counts" {
    echo '00A4000C023FFF =9000' >test.apdu
    scard run test.apdu
    assert_failure 1
    assert_regex "$stderr" '^scard: test.apdu:1: '
}

@test "Ctrl-C ends the script" {
    "$SCARD_BIN" run -c 'groups; wait --absent; groups' >out 2>err &
    pid=$!
    until [ -s out ]; do read -rt 0.01 <> <(:) || true; done
    kill -INT $pid
    run wait $pid
    wait $pid || status=$?
    assert_equal "$status" 130
    assert_equal "$(wc -l <out)" 1
}
