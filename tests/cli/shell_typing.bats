#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What a shell at a terminal does while a line is typed: hints, completion. The screen is what a terminal makes of the
# bytes that came (terminal.tcl).
load helper

setup() {
    clean_environment
    cd "$BATS_TEST_TMPDIR" || return
    export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state INPUTRC=/dev/null TERM=xterm LC_ALL=C.UTF-8
}

@test "a hint takes nothing of the screen with it: more keys, the middle of the line, the end of it" {
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "00A4"
    see {header to come\e\[0m\e\[\d+D$}
    shows 120 "scard> 00A4  SELECT, 2 bytes of the header to come"
    send "0400023F00"
    see {Lc=2, complete\e\[0m\e\[\d+D$}
    shows 120 "scard> 00A40400023F00  SELECT, case 3: Lc=2, complete"
    # Not in the middle: there it would stand between what is typed.
    send "\002"
    see "\033\\\[K\010$"
    shows 120 "scard> 00A40400023F00"
    send "1"
    see "10\010$"
    shows 120 "scard> 00A40400023F010"
    send "\005"
    see {half a byte\e\[0m\e\[\d+D$}
    shows 120 "scard> 00A40400023F010  SELECT, case 3: Lc=2, complete, half a byte"
    send "\025establish\r"
    see {Context opened.*scard> $}
    send "valid\r"
    see {context is valid.*scard> $}
    shows 120 "scard> valid" "The context is valid." "scard>"
    send "00A4000C023F00"
    see {Lc=2, complete\e\[0m\e\[\d+D$}
    send "\003"
    see {\^C\r\n.*scard> $}
    shows 120 "scard> 00A4000C023F00^C" "scard>"
    send "\004"
    ended 0
TCL
    assert_success
}

@test "no hint where it does not fit: a narrow terminal, a line that wraps" {
    typing <<'TCL'
    set stty_init "rows 24 columns 52"
    spawn -noecho $env(SCARD_BIN) shell
    see {scard> $}
    send "00A4"
    see {header to come\e\[0m\e\[\d+D$}
    shows 52 "scard> 00A4  SELECT, 2 bytes of the header to come"
    send "  "
    see {  $}
    shows 52 "scard> 00A4"
    send "04000A0102030405060708090A0B0C0D0E0F1011"
    see {1011$}
    send "12131415"
    see {1415$}
    shows 52 "scard> 00A4  04000A0102030405060708090A0B0C0D0E0F101" "112131415"
    # Back over the end of the row, and the hint of what fits is there again.
    send "\001\006\006\006\006\013"
    see {header to come\e\[0m\e\[\d+D$}
    shows 52 "scard> 00A4  SELECT, 2 bytes of the header to come" ""
    send "\001\013"
    see {\e\[K.+\e\[K$}
    shows 52 "scard>" ""
    send "\004"
    ended 0
TCL
    assert_success
}

@test "a search, characters of several bytes or columns, and a TAB: nothing is left behind" {
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "00A4000C023F00\r"
    see {9000.*\]> $}
    send "00A4"
    see {header to come\e\[0m\e\[\d+D$}
    send "\0220C"
    see {C': }
    send "\007"
    see {\]> 00A4.*header to come\e\[0m\e\[\d+D$}
    shows 120 "scard sim:iso 00 00 \[card T=1]> 00A4  SELECT, 2 bytes of the header to come"
    send "\025"
    see {\e\[K$}
    send "80000000:\"\u00e4\u5361"
    see {5 data bytes, Lc is put in\e\[0m\e\[\d+D$}
    send "\""
    see {5 data bytes, Lc is put in\e\[0m\e\[\d+D$}
    send "\025"
    see {\e\[K$}
    # How wide that is depends on where it stands.
    send "80000000\026\t"
    see {        $}
    send "\025valid\r"
    see {context is valid.*\]> $}
    shows 120 "scard sim:iso 00 00 \[card T=1]> valid" "The context is valid." "scard sim:iso 00 00 \[card T=1]>"
    send "\004"
    ended 0
TCL
    assert_success
}

@test "hints can be switched off, and a terminal without colour or cursor has none" {
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "set hints off\r"
    see {off\r\n.*scard> $}
    send "00A4"
    see_without {to come} {00A4$}
    send "\025set hints on\r"
    see {on\r\n.*scard> $}
    send "00A4"
    see {to come}
    send "\025exit\r"
    ended 0
    foreach {name value} {NO_COLOR 1 TERM dumb} {
        set before [array get env]
        set env($name) $value
        scard shell
        see {scard> $}
        send "00A4000C023F00"
        see_without {complete} {3F00$}
        send "\r"
        see_without {complete} {9000}
        see {> $}
        send "exit\r"
        ended 0
        array unset env
        array set env $before
    }
TCL
    assert_success
}

@test "TAB completes variables, settings and their values, applications" {
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "let folder = 3F00\r"
    see {scard> $}
    send "00A4000002 \$fo\t"
    see {\$folder $}
    send "\r"
    see {3F 00  .*9000.*\]> $}
    send "echo \$\{fol\t"
    see {\{folder\} $}
    send "\r"
    see {\r3F00\r\n.*\]> $}
    send "echo \$S\t"
    see {\$SW $}
    send "\r"
    see {\r9000\r\n.*\]> $}
    send "let fol\t"
    see {let folder $}
    send "\025set dec\t"
    see {set decode $}
    send "of\t"
    see {f $}
    send "\025set share ex\t"
    see {exclusive $}
    send "\025set protocol t\t\t"
    see {t0 +t1}
    see {protocol t$}
    send "\025set trace typ\t"
    see {trace typing\.exp $}
    send "\025select pi\t"
    see {select piv $}
    send "\025channel cl\t"
    see {close $}
    send "\025exit\r"
    ended 0
TCL
    assert_success
}

@test "TAB completes readers by any of their names" {
    "$SCARD_BIN" reader introduce "Front desk" 0
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "connect -r Fr\t"
    see {Front\\ desk $}
    send "\r"
    see {Connected to .*\]> $}
    send "exit\r"
    ended 0
TCL
    assert_success
}

@test "a variable that is called like a secret is not kept in the history, nor shown where it is sent" {
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "let newPin = 3930383137323633\r"
    see {scard> $}
    send "let pin=3930383137323633\r"
    see {scard> $}
    send "let plain = 1\r"
    see {scard> $}
    send "00200001 08 \$pin\r"
    see_without {39 30 38} {\*\*.*63C.*\]> $}
    send " let hidden = 2\r"
    see {\]> $}
    send "apdu --json 200001:\$newPin\r"
    see_without {"c":"[^"]*3930383} {"masked":true.*\]> $}
    send "exit\r"
    ended 0
TCL
    assert_success
    run cat state/scard/history
    assert_line 'let plain = 1'
    refute_output --partial 3930383
    refute_output --partial hidden
}

@test "TAB completes files that the card has told of, and lines within lines" {
    typing <<'TCL'
    scard shell
    see {scard> $}
    send "select --file 2FE2\r"
    see {9000.*\]> $}
    send "select --file 2F\t"
    see {2FE2 $}
    send "\02500A4000C02 2F\t"
    see {02 2FE2 .*Lc=2, complete}
    send "\025if SW=9000 then getd\t"
    see {then getdata $}
    send "\025for a in 1 do select --file 2F\t"
    see {2FE2 $}
    send "\025exit\r"
    ended 0
TCL
    assert_success
}
