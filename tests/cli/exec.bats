#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# PCSC_PROGRAM was linked to pcsc-lite's library, which has no reader called sim:iso.
load helper
bats_require_minimum_version 1.5.0

@test "a program that is linked to pcsc-lite's library runs on ours" {
    run scard exec "$PCSC_PROGRAM" list
    assert_success
    assert_output 'scard sim:iso 00 00'
    run scard exec --readers sim:echo,sim:iso -- "$PCSC_PROGRAM" list
    assert_success
    assert_line --index 0 --partial sim:echo
    assert_line --index 1 --partial sim:iso
}

@test "the library that pcsc-lite 2 hands on to is ours, too" {
    run scard exec sh -c 'echo "$LIBPCSCLITE_DELEGATE"'
    assert_success
    run "$PCSC_PROGRAM" load "$output"
    assert_success
    assert_output 'scard sim:iso 00 00'
}

@test "what the program starts runs on it as well, with the path that was set before behind ours" {
    LD_LIBRARY_PATH=/nowhere run scard exec sh -c 'echo "$LD_LIBRARY_PATH"; exec "$0" list' "$PCSC_PROGRAM"
    assert_success
    assert_line --index 0 --regexp '^/.*:/nowhere$'
    assert_line --index 1 'scard sim:iso 00 00'
}

@test "the program's exit status and words are its own" {
    run scard exec sh -c 'exit 7'
    assert_failure 7
    run scard exec printf '%s|' -r --json -- 'a b'
    assert_success
    assert_output -- '-r|--json|--|a b|'
    run scard exec printf '[%s]' '' a
    assert_success
    assert_output '[][a]'
    run scard exec -- printf '%s|' --help
    assert_success
    assert_output -- '--help|'
}

@test "a program that is not there is 127, one that cannot be run 126" {
    run -127 scard exec nonsense-program
    assert_output 'scard: cannot run nonsense-program: No such file or directory.'
    run scard exec "$BATS_TEST_TMPDIR"
    assert_failure 126
    run scard exec
    assert_failure 2
    run scard exec --timeout 5 true
    assert_failure 2
}

@test "it is the same process, with signals and descriptors as they were" {
    run sh -c 'echo $$; exec "$0" exec sh -c "echo \$\$"' "$SCARD_BIN"
    assert_success
    [ "${lines[0]}" = "${lines[1]}" ]
    state='grep -E "Sig(Blk|Ign)" /proc/self/status; ls /proc/self/fd'
    plain=$(sh -c "$state")
    [ "$(scard exec sh -c "$state")" = "$plain" ]
    plain=$(trap '' PIPE INT; sh -c "$state")
    [ "$(trap '' PIPE INT; scard exec sh -c "$state")" = "$plain" ]
    run scard exec sh -c 'kill -TERM $$'
    assert_failure 143
}

@test "a shell, script or session of scard does not become another program" {
    run scard run -c 'exec true'
    assert_failure 2
    run in_shell 'exec true'
    assert_failure 2
}

@test "-r is for scard in what is started" {
    run scard exec -r echo --readers sim:iso,sim:echo "$SCARD_BIN" atr
    assert_success
    assert_output --partial '3B'
    run scard exec --readers sim:iso,sim:echo "$SCARD_BIN" atr
    assert_failure
}

@test "--trace shows the calls, and no PIN" {
    run_apart "$SCARD_BIN" exec --trace "$PCSC_PROGRAM" list
    assert_success
    assert_output 'scard sim:iso 00 00'
    [[ $errors =~ SCardEstablishContext.*SCardListReaders\ #1\ \>\ \"scard\ sim:iso\ 00\ 00\".*SCardReleaseContext ]]
    cd "$BATS_TEST_TMPDIR"
    # What is started is traced as well, whatever it has for standard error.
    run scard exec --trace-file trace sh -c '"$0" apdu 00200001083132333431323334 >/dev/null 2>&1; cat trace' "$SCARD_BIN"
    assert_line --regexp '^[0-9:.]{15} [0-9]+ SCardConnect #1 "scard sim:iso 00 00" shared T=0\|T=1 > #1\.1 T=1  [0-9.]+ ms$'
    assert_line --regexp ' SCardTransmit #1\.1 0020000108\*\* > 6[39]..  [0-9.]+ ms$'
    refute_output --partial 31323334
}

@test "a trace that nobody reads hurts nobody, and a file that cannot be written is said" {
    run bash -c 'exec 9> >(exec true); wait $!; SCARD_TRACE=9 exec "$0" exec "$1" list' "$SCARD_BIN" "$PCSC_PROGRAM"
    assert_success
    assert_output 'scard sim:iso 00 00'
    run scard exec --trace-file "$BATS_TEST_TMPDIR/no/where" true
    assert_failure 9
}

@test "a program that speaks to pcscd's socket itself gets that of our server" {
    unset SCARD_SERVICE
    mkfifo "$BATS_TEST_TMPDIR/out"
    "$SCARD_BIN" serve --socket "$BATS_TEST_TMPDIR/scard.comm" --json >"$BATS_TEST_TMPDIR/out" 3>&- &
    server=$!
    exec 4<"$BATS_TEST_TMPDIR/out"
    read -r line <&4
    [[ $line == *serving* ]]
    SCARD_SERVICE=unix:$BATS_TEST_TMPDIR/scard.comm run scard exec sh -c 'echo "$PCSCLITE_CSOCK_NAME"'
    kill "$server"
    wait "$server" || true
    assert_output "$BATS_TEST_TMPDIR/scard.comm"
    run scard exec sh -c 'echo "($PCSCLITE_CSOCK_NAME)"'
    assert_output '()'
}

@test "completion: our options before the program, files behind it" {
    run scard __complete -- exec --tr
    assert_line --partial --trace-file
    run scard __complete -- exec pcsc_scan --
    assert_output $':files\t'
    run scard __complete -- exec ''
    assert_output $':files\t'
}
