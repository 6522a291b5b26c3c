#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# scard shell at a terminal: typed by expect, answered on a pseudo-terminal.
load helper

setup() {
    clean_environment
    cd "$BATS_TEST_TMPDIR" || return
    export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state INPUTRC=/dev/null TERM=xterm NO_COLOR=1
}

# Runs the expect script on standard input.
typing() {
    { echo "source \"$BATS_TEST_DIRNAME/terminal.tcl\""; cat; } >typing.exp
    run expect -f typing.exp
}

@test "the prompt shows reader and card, and that there is none" {
    typing <<'TCL'
    scard shell
    see {Ctrl-D ends.*scard> $}
    send "00A4000C023F00\r"
    see {9000.*scard sim:iso 00 00 \[card T=1\]> $}
    send "begin\r"
    see {\[card T=1, transaction\]> $}
    send "end\r"
    see {\[card T=1\]> $}
    send "begin\r"
    see {\[card T=1, transaction\]> $}
    send "control remove\r"
    see {scard sim:iso 00 00 \[-\]> }
    send "control insert\r"
    see {scard sim:iso 00 00 \[!\]> }
    send "reconnect\r"
    see {\[card T=1\]> $}
    send "disconnect\r"
    see {Disconnected.*scard> $}
    send "\004"
    ended 0
TCL
    assert_success
}

@test "the width of the terminal is kept: help, bytes" {
    typing <<'TCL'
    set stty_init "rows 24 columns 60"
    spawn -noecho $env(SCARD_BIN) help watch
    see_without {[^\r\n]{61}} {--count N}
    see {all commands}
    ended 0
    set stty_init "rows 24 columns 80"
    spawn -noecho $env(SCARD_BIN) apdu a4000c:df01 b08100/20
    see_without {[^\r\n]{81}} {bytes.*ms}
    ended 0
TCL
    assert_success
}

@test "commands in advice stand as they are typed here" {
    export SCARD_READERS='sim:iso?insert=no'
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "connect\r"
    see {wait for it with "wait --present"\..*scard> $}
    send "apdu\r"
    see {"help apdu" shows.*scard> $}
    send "help apdu\r"
    see_without {  scard apdu} {\n  apdu -r 0.*scard> $}
    send "record a.jsonl\r"
    see {Recording into a.jsonl; "record --stop" ends it\..*scard> $}
    send "record --stop\r"
    see {Recording ended\..*scard> $}
    send "verify\r"
    see {did you mean "pin verify"\?.*scard> $}
    send "=9000\r"
    see {neither a command nor an APDU.*scard> $}
    send "exit\r"
    ended 0
TCL
    assert_success
    run "$SCARD_BIN" apdu
    assert_output --partial '"scard help apdu" shows'
}

@test "at a prompt the status word says it: no second line for an answer that nobody expected" {
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "a4000c:ffff\r"
    see_without {the card answered} {6A82  file or application not found.*\]> $}
    send "a4000c:ffff =9000\r"
    see {the card answered 6A82 .*expected was 9000.*\]> $}
    send "\004"
    ended 1
TCL
    assert_success
}

@test "a terminal that can do nothing will do" {
    export TERM=dumb
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "connect\r"
    see {\[card T=1\]> $}
    send "stat\t"
    see {status $}
    send "\r"
    see {state.*\[card T=1\]> $}
    send "control remove\r"
    see {card out.*\[-\]> $}
    send "exit 7\r"
    ended 7
TCL
    assert_success
    refute_output --partial $'\e'
}

@test "exit gives the status, the end of input that of the last command" {
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "exit 300\r"
    see {0 to 255.*scard> $}
    send "quit 3\r"
    ended 3
    scard shell
    see {scard> $}
    send "00A40000023FFF\r"
    see {6A82.*\]> $}
    send "\004"
    ended 1
TCL
    assert_success
}

@test "TAB completes commands, options, choices, and readers with their blanks quoted" {
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "recon\t"
    see {reconnect $}
    send -- "--sha\t"
    see {--share $}
    send "\025connect --share ex\t"
    see {exclusive $}
    send -- "-r scard\t"
    see {-r scard\\ sim:iso\\ 00\\ 00 $}
    send "\r"
    see {Connected to scard sim:iso 00 00.*\]> $}
    send "disconnect\r"
    see {Disconnected.*scard> $}
    send "connect -r \"scard\t"
    see {-r "scard sim:iso 00 00" $}
    send "\r"
    see {Connected to scard sim:iso 00 00.*\]> $}
    send "control rem\t"
    see {remove $}
    send "\025exit\r"
    ended 0
TCL
    assert_success
}

@test "TAB completes files, also behind @" {
    mkdir folder
    printf '\0' >'folder/an image.bin'
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "run fol\t"
    see {run folder/$}
    send "an\t"
    see {an\\ image\.bin $}
    send "\025apdu @fol\t"
    see {apdu @folder/$}
    send "an\t"
    see {an\\ image\.bin $}
    send "\025exit\r"
    ended 0
TCL
    assert_success
}

@test "events come above the line being typed and leave it as it is" {
    export SCARD_READERS=vpcd:0
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "list --json\r"
    see {"device":"vpcd:([0-9]+)".*scard> $}
    set port $expect_out(1,string)
    send "status -r Virt"
    see {status -r Virt$}
    set card [exec $env(ECHO_CARD) $port >card.out &]
    see {Virtual PCD 00 00: card in.*scard> status -r Virt$}
    exec kill $card
    see {Virtual PCD 00 00: card out.*scard> status -r Virt$}
    send "ual\r"
    see {ual.*absent.*scard> $}
    send "exit\r"
    ended 0
TCL
    assert_success
}

@test "the mark of Ctrl-C stands behind what was typed, wherever the cursor was" {
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "status typed in vain"
    see {vain$}
    send "\003"
    see {^\^C\r\n.*scard> $}
    send "status once more"
    see {more$}
    send "\002"
    see "\010$"
    send "\003"
    see {^(e|\033\[C)\^C\r\n.*scard> $}
    send "exit\r"
    ended 0
TCL
    assert_success
}

@test "a window of another size is noticed at once" {
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "apdu 00A4000C023F00 00A4000C023F00 00A4000C023F00"
    see {00A4000C023F00 00A4000C023F00$}
    stty columns 40 < $spawn_out(slave,name)
    see {\r.*scard> apdu 00A4000C023F00 00A4000C0}
    send "\003"
    see {\^C.*scard> $}
    send "exit\r"
    ended 0
TCL
    assert_success
}

@test "Ctrl-Z stops the shell, and in front again it has its terminal and its line" {
    typing <<'TCL'
    set stty_init "rows 24 columns 120"
    spawn -noecho bash --norc -i
    send "PS1='front> '\r"
    see {front> $}
    send "\"$env(SCARD_BIN)\" shell\r"
    see {scard> $}
    send "stat"
    see {stat$}
    send "\032"
    see {Stopped.*front> $}
    send "fg\r"
    see {scard> stat$}
    send "us --js\t"
    see {us --json $}
    send "\r"
    see {"t":"status".*scard> $}
    send "exit 3\r"
    see {front> $}
    send "exit $?\r"
    ended 3
TCL
    assert_success
}

@test "Ctrl-C clears the line, ends a command, and never the shell" {
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "status typed in vain"
    see {vain$}
    send "\003"
    see {\^C.*scard> $}
    send "\r"
    see {scard> $}
    send "wait --absent --json\r"
    see {--json\r\n}
    send "\003"
    see_without {"code":10} {interrupted.*scard> $}
    send "wait --absent\r"
    see {--absent\r\n}
    send "\003\003\003\003"
    # The terminal drops what it has not shown yet at each: "interrupted" may be lost to the next.
    see {(interrupted|\^C).*scard> $}
    send "00A4000C023F00\r"
    see {9000.*\]> $}
    send "\022A4"
    see {i-search}
    send "\003"
    see {\]> $}
    send "exit\r"
    ended 0
TCL
    assert_success
}

@test "Ctrl-C in the middle of typing never loses the shell" {
    typing <<'TCL'
    scard shell
    see {scard> $}
    # In two writes: the terminal drops the keys at any moment of their being taken.
    for {set round 0} {$round < 300} {incr round} {
        send "AB"
        send "\003"
        see {\^C\r\n.*scard> $}
    }
    send "status --json\r"
    see {"t":"status".*scard> $}
    send "exit\r"
    ended 0
TCL
    assert_success
}

@test "Ctrl-C ends what takes more than one key: a sequence, a character, a paste" {
    export LC_ALL=C.UTF-8
    typing <<'TCL'
    scard shell
    see {scard> $}
    foreach start [list "\033" "\026" "\022\303" "\033\[200~half a paste"] {
        send -- "before $start"
        see {before}
        send "\003"
        see {\^C\r\n.*scard> $}
    }
    send "status --json\r"
    see {"t":"status".*scard> $}
    send "exit\r"
    ended 0
TCL
    assert_success
}

@test "commands, and who comes after the shell, have the terminal as the shell found it" {
    typing <<'TCL'
    set stty_init "rows 24 columns 120"
    spawn -noecho sh -c {trap : INT; echo "found $(stty -g)."; "$SCARD_BIN" shell; echo "left $(stty -g)."}
    see {found (\S+)\.}
    set found $expect_out(1,string)
    see {scard> $}
    send "typed in vain"
    send "\003"
    see {\^C\r\n.*scard> $}
    send "watch --json\r"
    see {"v":1}
    set inside [exec stty -g < $spawn_out(slave,name)]
    if {$inside ne $found} {fail "$inside in a command, $found before"}
    send "\003"
    see {scard> $}
    send "exit\r"
    see {left (\S+)\.}
    if {$expect_out(1,string) ne $found} {fail "$expect_out(1,string) after the shell, $found before"}
    ended 0
TCL
    assert_success
}

@test "the history is private, goes on in the next shell, and holds no secret" {
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "00A4000C023F00\r"
    see {9000.*\]> $}
    send "00200001083132333435363738\r"
    see {63C.*\]> $}
    send "apdu 200001:3132333435363738\r"
    see {63C.*\]> $}
    send " status --json\r"
    see {"t":"status".*\]> $}
    send "exit\r"
    ended 0
    scard shell
    see {scard> $}
    send "\020\020"
    send "\r"
    see {> 00 A4 00 0C 02 3F 00.*9000.*\]> $}
    send "history 2\r"
    see {00A4000C023F00\r\n[^\n]*history 2\r\n.*\]> $}
    send "!1\r"
    see {00A4000C023F00\r\n> 00 A4 00 0C 02 3F 00.*9000.*\]> $}
    send "!!\r"
    see {00A4000C023F00\r\n> 00 A4 00 0C 02 3F 00.*9000.*\]> $}
    send "!hist\r"
    see {history 2\r\n.*history 2\r\n.*\]> $}
    send "!nothing\r"
    see {the history has no such line.*\]> $}
    send "exit\r"
    ended 0
TCL
    assert_success
    run cat state/scard/history
    assert_line --index 0 00A4000C023F00
    assert_line --index 1 exit
    refute_output --partial 313233
    refute_output --partial json
    assert_equal "$(stat -c %a state/scard state/scard/history | tr '\n' ' ')" "700 600 "
}

@test "PINs are asked for without echo" {
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "apdu 200001:{pin:8}\r"
    see {(?i)pin.*: ?$}
    send "9876\r"
    see_without {9876} {63C.*\]> $}
    send "exit\r"
    ended 0
TCL
    assert_success
    run grep -r 9876 state
    assert_failure
}

@test "several lines pasted at once are several lines" {
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "\033\[200~00A4000C023F00\nstatus --json\033\[201~"
    see {status --json}
    send "\r"
    see {9000.*"t":"status".*\]> $}
    send "exit\r"
    ended 0
TCL
    assert_success
}

@test "a terminal that goes away ends the shell and the command it is in" {
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "half a li"
    see {half a li$}
    close
    lassign [wait] pid id error status
    if {$error != 0 || $status != 0} {fail "at the prompt: $error $status"}
    scard shell
    see {scard> $}
    send "wait --absent\r"
    see {--absent\r\n}
    close
    lassign [wait] pid id error status
    if {$error != 0 || $status != 130} {fail "in a command: $error $status"}
TCL
    assert_success
}

@test "SIGTERM and SIGHUP end the shell, at the prompt and in a command" {
    typing <<'TCL'
    foreach signal {TERM HUP} {
        scard shell
        see {scard> $}
        exec kill -$signal [exp_pid]
        ended 0
        scard shell
        see {scard> $}
        send "wait --absent\r"
        see {--absent\r\n}
        exec kill -$signal [exp_pid]
        ended 130
    }
TCL
    assert_success
}

@test "a hint behind the APDU being typed tells its case; it goes when a key comes" {
    unset NO_COLOR
    typing <<'TCL'
    scard shell
    see {scard.*> $}
    send "00A4"
    see {00A4.*SELECT, 2 bytes of the header to come}
    send "040002"
    see {SELECT, case 3: Lc=2, 2 bytes to come|Lc=2 with its data to come}
    send "3F00"
    see {SELECT, case 3: Lc=2, complete}
    send "\r"
    see {9000|6A82|61..}
    see {scard sim[^\n]*> $}
    send "valid\r"
    see_without {to come|complete} {context is valid.*scard sim[^\n]*> $}
    send "\004"
    ended 0
TCL
    assert_success
}
