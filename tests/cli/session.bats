#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Background sessions: connect, what runs in it, and all the ways it ends.
load helper
load session_functions

setup() {
    clean_environment
    export PATH="${SCARD_BIN%/*}:$PATH"
    place=$XDG_RUNTIME_DIR/scard
    export place
    unset SCARD_SESSION_IDLE
    # A session has no stream where a sanitizer could report.
    for tool in ASAN UBSAN TSAN; do
        printf -v "${tool}_OPTIONS" %s "$(printenv ${tool}_OPTIONS):log_path=$BATS_FILE_TMPDIR/report"
        export "${tool}_OPTIONS"
    done
}

teardown_file() {
    local report

    for report in "$BATS_FILE_TMPDIR"/report*; do
        [ ! -e "$report" ] || { cat "$report"; return 1; }
    done
}

# Whatever a failed test has left.
teardown() {
    local name

    for name in $(scard sessions | cut -f1); do
        scard --session "$name" release
    done
}

# A shell script of its own, from standard input; its sessions are its own.
script() {
    cat "${BATS_TEST_DIRNAME}/session_functions.bash" - >"$BATS_TEST_TMPDIR/script"
    run bash "$BATS_TEST_TMPDIR/script"
}

@test "connect, use, release: one context and one card over many commands" {
    script <<'END'
scard connect -r 0 >/dev/null
scard apdu a4000c:df01
(scard apdu a4000c:e101)
scard apdu b00000/05 | cat
scard release
END
    assert_success
    assert_output $'9000\n9000\n48656C6C6F9000'
    run ls -A "$place"
    assert_output ""
}

@test "the last command of a shell, which is executed in its place, finds the session" {
    run bash -c 'scard connect -r 0; scard apdu a4000c:df01; scard release'
    assert_success
    assert_line 9000
}

@test "a subshell that opens a session opens it for its shell" {
    script <<'END'
open() { output=$("$@"; echo "$?"); }
open scard connect -r 0
scard apdu a4000c:df01
(scard release; true)
scard release
END
    assert_failure 2
    assert_line 9000
    assert_line --partial "no session is open"
}

@test "connect prints reader, mode, protocol, ATR, and returns inside \$(…)" {
    script <<'END'
x=$(scard connect -r 0)
echo "$x"
scard release
END
    assert_success
    assert_output --regexp $'^scard sim:iso 00 00\tshared\tT=1\t3B'
}

@test "exit statuses and messages come through the session" {
    script <<'END'
scard connect >/dev/null
scard apdu a4000c:7777 2>/dev/null; echo $?
scard apdu zz 2>/dev/null; echo $?
scard apdu -r nowhere b0 2>&1 >/dev/null; echo $?
scard status --json | head -c 22; echo
END
    assert_line --index 0 --partial 6A82
    assert_line --index 1 1
    assert_line --index 2 2
    assert_line --index 3 --partial 'no reader matches "nowhere"'
    assert_line --index 4 4
    assert_line --index 5 '{"v":1,"t":"status","r'
}

@test "input, output, files: the caller's, and in the caller's directory" {
    script <<'END'
scard connect >/dev/null
cd "$BATS_TEST_TMPDIR"
echo a4000c:df01 | scard run - >out 2>err; echo $?
printf '\x3F\x00' >fid
scard apdu a4000c:@fid >>out
scard apdu a4000c:- <fid >>out
cat out
scard apdu a4000c:7777 2>err >/dev/null
cat err
END
    assert_line --index 0 0
    assert_line --index 1 --partial 9000
    assert_line --index 2 9000
    assert_line --index 3 9000
    assert_line --index 4 --partial "the card answered 6A82"
}

@test "closed streams stay closed, and a pipe that nobody reads is status 141" {
    script <<'END'
scard connect >/dev/null
scard status >&- 2>"$BATS_TEST_TMPDIR/err"; echo $?
cat "$BATS_TEST_TMPDIR/err"
mkfifo "$BATS_TEST_TMPDIR/pipe"
exec 8<>"$BATS_TEST_TMPDIR/pipe" 9>"$BATS_TEST_TMPDIR/pipe" 8<&-
scard status >&9; echo $?
scard valid
END
    assert_line --index 0 9
    assert_line --index 1 --partial "cannot write the output"
    assert_line --index 2 141
    assert_line --index 3 valid
}

@test "establish: a context without a card, in which connect connects" {
    script <<'END'
scard establish
scard sessions | cut -f2-
scard connect >/dev/null
scard sessions | cut -f2-
scard disconnect
scard sessions | cut -f2-
scard release
END
    assert_output $'open\nidle\t\nidle\tscard sim:iso 00 00\nidle\t'
}

@test "connected already: said, and the connection stays" {
    script <<'END'
scard connect >/dev/null
scard connect; echo $?
scard apdu a4000c:3F00
END
    assert_line --partial "scard sim:iso 00 00 is connected already"
    assert_line 2
    assert_line 9000
}

@test "a connect that fails leaves nothing behind" {
    script <<'END'
scard connect -r nowhere; echo $?
SCARD_READERS=sim:iso?insert=no scard connect; echo $?
scard connect --idle soon; echo $?
SCARD_SESSION_IDLE=soon scard connect; echo $?
scard connect --session ../x; echo $?
scard connect --session shell-1-1; echo $?
SCARD_SERVICE=nonsense scard connect; echo $?
ls -A "$place"
END
    refute_line 0
    assert_line 4
    assert_line 5
    assert_line 3
    assert_equal "$(grep -cx 2 <<<"$output")" 4
    assert_equal "${lines[-1]}" 3
}

@test "two scripts have sessions of their own; a child script uses its parent's" {
    mkfifo "$BATS_TEST_TMPDIR/go"
    script <<'END'
scard connect >/dev/null
bash -c 'scard connect; echo $?; scard sessions --json' 2>/dev/null
(
    # A process of its own that opens one: nearer than its parent's.
    SCARD_READERS=sim:echo bash -c 'scard sessions; bash -c "scard --session own connect" >/dev/null; scard sessions | wc -l; scard --session own apdu 80000000:AABB; scard --session own release'
)
scard apdu a4000c:3F00
END
    assert_line --index 0 2
    assert_line --index 1 --partial '"current":true'
    assert_line 2
    assert_line AABB9000
    assert_line 9000
}

@test "named: by --session and SCARD_SESSION, from any process, beyond the script that opened it" {
    script <<'END'
scard connect --session one >/dev/null
SCARD_READERS=sim:echo SCARD_SESSION=two scard connect >/dev/null
END
    assert_success
    run scard --session one status
    assert_line --index 0 $'reader\tscard sim:iso 00 00'
    run scard __complete -- --session o
    assert_output $'one\t'
    SCARD_SESSION=two run scard status
    assert_line --index 0 $'reader\tscard sim:echo 00 00'
    run scard status
    assert_line $'connected\tno'
    scard --session one release
    run scard --session one status
    assert_failure 2
    assert_output --partial 'there is no session "one"'
    run scard --session one status --json
    assert_output --partial '{"v":1,"t":"error","code":2,'
    SCARD_SESSION=one run scard apdu a4000c:3F00
    assert_failure 2
    SCARD_SESSION=one run scard list
    assert_success
    scard --session two release
}

@test "the exit of the shell that opened it ends it" {
    script <<'END'
scard connect >/dev/null
scard sessions | cut -f1
END
    assert_success
    wait_end "$output"
}

@test "SIGTERM and SIGHUP end it, and what it runs is interrupted" {
    script <<'END'
for signal in TERM HUP; do
    scard connect >/dev/null
    session=$(session_pid)
    start_watch
    lock=$(echo "$place"/*.lock)
    exec 7<"$lock"
    kill -$signal "$session"
    wait $watch; echo $?
    flock 7
    ls -A "$place"
done
END
    assert_output $'130\n130'
}

@test "idle: it ends by itself, but not while a command runs" {
    script <<'END'
scard connect --idle 50ms --session brief >/dev/null
END
    wait_end brief
    script <<'END'
SCARD_SESSION_IDLE=1ms scard connect --session brief --idle 2 >/dev/null
export SCARD_SESSION=brief
# Were the session not busy it would be over before this wait is.
scard wait --absent --timeout 4; echo $?
END
    assert_line 10
    wait_end brief
}

@test "Ctrl-C ends the command with 130, not the session" {
    script <<'END'
scard establish >/dev/null
start_watch
kill -INT $watch
wait $watch; echo $?
scard wait --absent & wait=$!
until_busy
kill -TERM $wait
wait $wait; echo $?
scard valid
END
    assert_output $'130\nscard: interrupted.\n130\nvalid'
}

@test "a client that is killed interrupts its command" {
    script <<'END'
scard establish >/dev/null
start_watch
kill -KILL $watch
wait $watch 2>/dev/null
scard valid
END
    assert_line valid
}

@test "cancel from a second command ends what runs; others wait for their turn" {
    script <<'END'
scard establish >/dev/null
start_watch
scard list >"$BATS_TEST_TMPDIR/list" & list=$!
until_waiting $list
scard cancel; echo $?
wait $watch; echo $?
wait $list; echo $?
cut -f2 "$BATS_TEST_TMPDIR/list"
END
    assert_output $'0\n130\n0\nscard sim:iso 00 00'
}

@test "cancel lets an exchange come to its end; Ctrl-C does not" {
    export SCARD_READERS=sim:odd
    script <<'END'
scard connect >/dev/null
scard apdu 8010012C & apdu=$!
until_busy
scard cancel; echo $?
wait $apdu; echo $?
scard apdu 8010FFFF & apdu=$!
until_busy
kill -INT $apdu
wait $apdu; echo $?
END
    assert_output $'9000\n0\n0\nscard: interrupted.\n130'
}

@test "a command that waits for its turn can be interrupted, or give up" {
    script <<'END'
scard establish >/dev/null
start_watch
scard list & list=$!
until_waiting $list
kill -INT $list; wait $list; echo $?
scard list --timeout 0.05; echo $?
scard sessions | cut -f2
END
    assert_line --index 0 "scard: interrupted."
    assert_line --index 1 130
    assert_line --index 3 10
    assert_line --index 4 busy
}

@test "release ends at once what runs and what waits" {
    script <<'END'
scard connect >/dev/null
start_watch
scard apdu a4000c:3F00 2>"$BATS_TEST_TMPDIR/err" & apdu=$!
until_waiting $apdu
scard release; echo $?
wait $watch; echo $?
wait $apdu; echo $?
cat "$BATS_TEST_TMPDIR/err"
ls -A "$place"
END
    assert_line 0
    assert_line 130
    assert_line 3
    assert_line --partial "Nothing was sent"
}

@test "output that nobody takes holds up nobody: cancel, Ctrl-C, death of the client" {
    script <<'END'
scard establish >/dev/null
mkfifo "$BATS_TEST_TMPDIR/pipe"
exec 9<>"$BATS_TEST_TMPDIR/pipe"
dd if=/dev/zero bs=4096 oflag=nonblock of="$BATS_TEST_TMPDIR/pipe" 2>/dev/null
for end in "scard cancel" "kill -INT" "kill -KILL"; do
    scard list >&9 2>/dev/null & list=$!
    until_busy
    $end ${end:+$([ "$end" = "scard cancel" ] || echo $list)}
    wait $list 2>/dev/null; echo $?
done
scard valid
END
    assert_line --index 0 130
    assert_line --index 1 130
    assert_line --index 2 137
    assert_line --index 3 valid
}

@test "a transaction lasts over commands" {
    script <<'END'
scard connect >/dev/null
scard begin
scard apdu a4000c:df01 a4000c:e101
scard sessions | cut -f2
scard status | grep transactions
scard release
END
    assert_success
    assert_line transaction
    assert_line $'transactions\t1'
}

@test "a session that was killed is replaced, and its remains are swept" {
    script <<'END'
scard connect >/dev/null
session=$(session_pid)
exec 7<"$(echo "$place"/*.lock)"
kill -KILL $session
flock 7
exec 7<&-
ls "$place" | wc -l
scard status | grep connected
scard --session other connect >/dev/null
ls "$place" | wc -l
scard --session other release
scard connect >/dev/null
scard apdu a4000c:3F00
END
    assert_output $'2\nconnected\tno\n2\n9000'
}

@test "a session that dies in the middle of a command: status 3, said" {
    script <<'END'
scard establish >/dev/null
start_watch
kill -KILL "$(session_pid)"
wait $watch; echo $?
cat <&6
END
    assert_line --partial "ended in the middle of the command"
    assert_line 3
}

@test "many open at the same moment: one wins, and all others say why" {
    script <<'END'
for i in 1 2 3 4 5 6; do
    (scard --session race connect >/dev/null 2>&1; echo $? >"$BATS_TEST_TMPDIR/race.$i") &
done
wait
cat "$BATS_TEST_TMPDIR"/race.* | sort | uniq -c
scard --session race apdu a4000c:3F00
END
    assert_line --regexp '^ *1 0$'
    refute_line --regexp ' (3|9|139)$'
    assert_line 9000
}

@test "only in a directory of one's own: another's mode or a link is refused with 7" {
    mkdir -m 755 "$place"
    run scard connect
    assert_failure 7
    assert_output --partial "mode 0700"
    rmdir "$place"
    mkdir -m 700 "$BATS_TEST_TMPDIR/elsewhere"
    ln -s "$BATS_TEST_TMPDIR/elsewhere" "$place"
    run scard --session x connect
    assert_failure 7
    run ls -A "$BATS_TEST_TMPDIR/elsewhere"
    assert_output ""
    rm "$place"
}

@test "directory and socket are for their user alone" {
    script <<'END'
scard connect >/dev/null
stat -c %a "$place" "$place"/*.sock "$place"/*.lock
END
    assert_output $'700\n600\n600'
}

@test "another user that reaches the socket gets no answer" {
    [ "$(id -u)" -eq 0 ] || skip "only root can become another user"
    script <<'END'
scard --session mine connect >/dev/null
END
    # As if the modes of directory and socket did not hold it back. INFO: root is told, the other is not.
    run send_raw mine 0000000003
    refute_output 0
    run send_raw mine 0000000003 setpriv --reuid 65534 --inh-caps +dac_override --ambient-caps +dac_override
    assert_output 0
    run scard --session mine valid
    assert_output valid
}

@test "garbage, half a message, missing descriptors: no harm" {
    script <<'END'
scard --session mine connect >/dev/null
END
    for words in 'FFFFFFFF01' '0000000001' '00000002010000' '0000001101' '0000000002' '0000000009' \
        '0000000F01000000000161707064750000000000'; do
        run send_raw mine "$words"
        assert_output 0
    done
    run scard --session mine valid
    assert_output valid
}
