#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# A PIN that goes through everything that takes PINs or APDUs, and is then looked for in every file that came of it, in
# what was printed, and in the arguments, environment and memory of the processes. The tests write no file with it.
load helper

# As a number it is in no address or size by chance.
CANARY=90817263 OTHER=36271809
CANARY_HEX=3930383137323633 OTHER_HEX=3336323731383039

setup() {
    clean_environment
    cd "$BATS_TEST_TMPDIR" || return
    mkdir -p home state work
    export NO_COLOR=1 HOME=$PWD/home XDG_STATE_HOME=$PWD/state XDG_CONFIG_HOME=$PWD/home INPUTRC=/dev/null
    export SCARD_READERS=sim:iso
    cd work || return
}

teardown() {
    local name

    [ -z "${server:-}" ] || kill "$server" 2>/dev/null || true
    for name in $(scard sessions | cut -f1); do
        scard --session "$name" release
    done
}

# Ways to see it: as text, hex in both cases, with blanks or colons between.
pattern() {
    local hex=$1 text=$2

    echo "$text|$hex|$(sed -E 's/(..)/\1[ :,]?/g' <<<"$hex")"
}

# Nowhere below the test's directory: neither in files nor in their names.
nowhere() {
    local each

    for each in "$(pattern $CANARY_HEX $CANARY)" "$(pattern $OTHER_HEX $OTHER)"; do
        run grep -rlaEi --devices=skip "$each" "$BATS_TEST_TMPDIR"
        assert_output '' || return 1
        run bash -c 'find "$1" | grep -Ei "$2"' find "$BATS_TEST_TMPDIR" "$each"
        assert_output '' || return 1
    done
}

# in_memory PID: is it in the memory of that process (not only in its arguments)?
in_memory() {
    perl -e '
        my ($pid, @words) = @ARGV;
        my $found = 0;
        open(my $maps, "<", "/proc/$pid/maps") or die "maps: $!";
        open(my $memory, "<:raw", "/proc/$pid/mem") or die "mem: $!";
        while (<$maps>) {
            my ($from, $to, $mode) = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/ or next;
            next if $mode !~ /^rw/ || /\[vvar|vsyscall/;
            no warnings "portable";
            my ($at, $end) = (hex $from, hex $to);
            # The shadow of a sanitizer holds no data and is endless.
            next if $end - $at > 1 << 31;
            sysseek($memory, $at, 0) or next;
            while ($at < $end) {
                my $count = $end - $at < 1 << 20 ? $end - $at : 1 << 20;
                my $got = sysread($memory, my $bytes, $count) or last;
                for my $word (@words) {
                    $found++, print STDERR "$word in $_" if index($bytes, $word) >= 0;
                }
                $at += $got;
            }
        }
        exit($found ? 0 : 1);' "$1" "$CANARY" "$OTHER" "$CANARY_HEX" "$OTHER_HEX"
}

# Arguments and environment of a process.
in_proc() {
    grep -aqE "$CANARY|$OTHER|$CANARY_HEX|$OTHER_HEX" "/proc/$1/cmdline" "/proc/$1/environ"
}

# everything COMMAND...: its output and errors into a file that is looked at like all others.
everything() {
    "$@" >>output 2>&1 || true
}

@test "the search finds what is there" {
    echo "x $CANARY y" >found
    run nowhere
    assert_failure
    echo "39:30:38 3137,323633" >found
    run nowhere
    assert_failure
    CANARY_HERE=$CANARY sleep 100 3>&- &
    sleeper=$!
    until grep -aq CANARY_HERE "/proc/$sleeper/environ"; do :; done
    run in_proc "$sleeper"
    assert_success
    run in_memory "$sleeper"
    assert_success
    kill "$sleeper"
}

@test "pin: verify, change, unblock; text, JSON, debug lines" {
    for mode in '' --json -v '-v --json'; do
        for command in verify change 'unblock'; do
            place=pin
            [ "$command" != unblock ] || place=puk
            # shellcheck disable=SC2086
            everything scard pin $command $mode --$place-fd 3 3< <(printf '%s\n%s\n' $CANARY $OTHER)
        done
    done
    CANARY_PIN=$CANARY everything scard pin verify --pin-env CANARY_PIN
    grep -q wrong output
    nowhere
}

@test "pin: typed where it does not belong" {
    everything scard pin verify $CANARY
    everything scard pin $CANARY
    everything scard pin verify --pin=$CANARY
    everything scard pin verify -p$CANARY
    everything scard pin verify --reference $CANARY
    everything scard pin change --pad $CANARY
    everything scard pin verify --digits $CANARY
    everything scard --json pin verify $CANARY
    [ "$(wc -l <output)" -ge 8 ]
    nowhere
}

@test "apdu, run, script: text, JSON, debug lines" {
    for mode in '' --json -v; do
        # shellcheck disable=SC2086
        {
            everything scard apdu $mode 200081:$CANARY_HEX
            everything scard apdu $mode "0020008108$CANARY_HEX"
            everything scard apdu $mode "200081:\"$CANARY\""
            everything scard apdu $mode '200081:{pin}' --pin-fd 3 3<<<$CANARY
            everything scard apdu $mode "00200081 FF $CANARY_HEX"
            everything scard run $mode -c "00 20 00 81 08 $CANARY_HEX"
            everything scard run $mode - <<<"200081:$CANARY_HEX"
            everything scard apdu $mode - <<<"240081:$CANARY_HEX$OTHER_HEX"
        }
    done
    grep -q '\*\*' output
    nowhere
}

@test "sessions: neither the session's memory nor its arguments keep it" {
    everything scard connect --session canary
    pid=$(scard sessions --json | sed -n 's/.*"pid":\([0-9]*\).*/\1/p')
    [ -n "$pid" ]
    export SCARD_SESSION=canary
    everything scard pin verify --pin-fd 3 3<<<$CANARY
    everything scard pin verify --pin-fd 3 3<<<$CANARY
    grep -q 'refused that PIN already' output
    everything scard pin change --again --pin-fd 3 --new-pin-fd 4 3<<<$CANARY 4<<<$OTHER
    everything scard pin unblock --puk-fd 3 3< <(printf '%s\n%s\n' $CANARY $OTHER)
    CANARY_PIN=$CANARY everything scard pin verify -v --again --last-try --pin-env CANARY_PIN
    everything scard apdu 200081:$CANARY_HEX
    everything scard run -c "200081:$CANARY_HEX"
    run in_proc "$pid"
    assert_failure
    run in_memory "$pid"
    assert_failure
    assert_output ''
    nowhere
}

@test "while it is held: not in arguments or environment, and a crash leaves none of it" {
    mkfifo pins
    # Sanitizers have no core by themselves.
    CANARY_PIN=$CANARY ASAN_OPTIONS=${ASAN_OPTIONS:-}:disable_coredump=0 bash -c '
        ulimit -c unlimited
        exec "$SCARD_BIN" pin unblock --puk-env CANARY_PIN --new-pin-fd 3 3<>pins >>output 2>&1' &
    pid=$!
    # It has the PUK and waits for the new PIN.
    until in_memory "$pid" 2>/dev/null && ! in_proc "$pid"; do
        kill -0 "$pid"
    done
    run in_proc "$pid"
    assert_failure
    kill -ABRT "$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" -eq 134 ]
    rm pins
    nowhere
}

@test "the shell: typed at a terminal, history" {
    cat >typing.exp <<TCL
source "$BATS_TEST_DIRNAME/terminal.tcl"
set half1 9081
set half2 7263
log_user 0
scard shell
see {scard> }
send "list\r"
see {scard> }
send "pin verify\r"
see {tries left\): }
send "\$half1\$half2\r"
see {wrong: 2}
send "pin verify \$half1\$half2\r"
see {takes no secret}
send "pni verify \$half1\$half2\r"
see {did you mean}
send "apdu 200081:39303831\"\$half2\"\r"
see {63C1}
send "00200081083930383137323633\r"
see {63C0}
send "200081:{pin}\r"
see {pin: }
send "\$half1\$half2\r"
see {6983.*\\]> }
send "history\r"
see {1  list.*\\]> }
send "exit\r"
expect eof
TCL
    TERM=xterm run expect -f typing.exp
    assert_success
    sed -i '/39303831/d;/3930383137323633/d' typing.exp
    grep -q '^list' "$XDG_STATE_HOME/scard/history"
    run grep -c pin "$XDG_STATE_HOME/scard/history"
    assert_output 1 # 200081:{pin}
    nowhere
}

@test "serve and exec: the server's memory, the trace of a program" {
    mkdir -p "$XDG_RUNTIME_DIR/s"
    "$SCARD_BIN" serve --socket "$XDG_RUNTIME_DIR/s/comm" >>output 2>&1 3>&- &
    server=$!
    until [ -S "$XDG_RUNTIME_DIR/s/comm" ]; do kill -0 "$server"; done
    export SCARD_SERVICE=unix:$XDG_RUNTIME_DIR/s/comm
    everything scard pin verify --pin-fd 3 3<<<$CANARY
    everything scard apdu 200081:$CANARY_HEX
    everything scard exec --trace "$SCARD_BIN" pin verify --last-try --pin-fd 3 3<<<$CANARY
    everything scard exec --trace-file trace "$SCARD_BIN" apdu '200081:{pin}' --pin-fd 3 3<<<$CANARY
    grep -q 'SCardTransmit.* 0020008108\*\*' output
    [ -s trace ]
    run in_proc "$server"
    assert_failure
    run in_memory "$server"
    assert_failure
    nowhere
}

@test "traces and recordings, in every format" {
    local name=0

    for format in jsonl text pcapng gp apdu4j cardpeek scard; do
        name=$((name + 1))
        everything scard pin verify --trace "trace$name" --trace-format $format --pin-fd 3 3<<<$CANARY
        everything scard pin change --trace "change$name" --trace-format $format --pin-fd 3 3< <(printf '%s\n' $CANARY $OTHER)
        everything scard pin unblock --trace "unblock$name" --trace-format $format --puk-fd 3 3< <(printf '%s\n' $CANARY $OTHER)
        everything scard apdu --trace "apdu$name" --trace-format $format 200081:$CANARY_HEX "240081:$CANARY_HEX$OTHER_HEX"
        everything scard run --trace "run$name" --trace-format $format -c "200081:\"$CANARY\""
        everything scard record --format $format "record$name" "$SCARD_BIN" pin verify --pin-fd 3 3<<<$CANARY
        everything scard record --format $format "shell$name" <<<"200081:$CANARY_HEX"
        [ -s "trace$name" ]
        [ -s "record$name" ]
        [ -s "shell$name" ]
        [ -s "apdu$name" ]
    done
    grep -qF '0020008108**' trace1 record1
    nowhere
}
