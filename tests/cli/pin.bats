#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# scard pin: status, verify, change, unblock. The card's PIN is 1234, its PUK 12345678, and it has three tries.
load helper

setup() {
    clean_environment
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    local name

    for name in $(scard sessions | cut -f1); do
        scard --session "$name" release
    done
}

# verify PIN [OPTION...]
verify() {
    printf '%s\n' "$1" | scard pin verify --pin-fd 0 "${@:2}"
}

@test "status: tries left of the PINs that the card tells about, and none is spent" {
    run scard pin status
    assert_success
    assert_output $'00\t3\tnot verified\t63C3\n01\t3\tnot verified\t63C3\n81\t3\tnot verified\t63C3'
    run scard pin status -p 81 --json
    assert_output '{"v":1,"t":"pin-status","reference":"81","tries":3,"state":"not verified","sw":"63C3"}'
    run scard pin status -p 9F
    assert_failure 1
    assert_output --partial 'no PIN 9F'
}

@test "verify: from a descriptor, a file, a variable; it says nothing when all is well" {
    printf '1234\n' >secret
    chmod 600 secret
    run verify 1234
    assert_success
    assert_output ''
    run scard pin verify --pin-file secret
    assert_success
    PIN=1234 run scard pin verify --pin-env PIN
    assert_success
    run scard pin verify --pin-file secret --pin-env PIN
    assert_failure 2
}

@test "verify: a wrong one says how many tries are left" {
    run verify 4711
    assert_failure 1
    assert_output --partial 'wrong: 2 tries are left for PIN 81'
    run bash -c 'echo 4711 | "$SCARD_BIN" pin verify --pin-fd 0 --json | tail -n 2 | head -n 1'
    assert_output '{"v":1,"t":"pin","action":"verify","reference":"81","done":false,"tries":2,"sw":"63C2"}'
}

@test "ten wrong ones against three tries leave one" {
    scard connect --session ten >/dev/null
    export SCARD_SESSION=ten
    for pin in 4711 4712; do
        run verify $pin
        assert_failure 1
    done
    for pin in 4713 4714 4715 4716 4717 4718 4719 4720; do
        run verify $pin
        assert_failure 11
        assert_output --partial 'one try is left for PIN 81. Nothing was sent.'
    done
    run scard pin status -p 81
    assert_output $'81\t1\tnot verified\t63C1'
    run verify 1234 --last-try
    assert_success
    run scard pin status -p 81
    assert_output $'81\t\tverified\t9000'
}

@test "ten times the same wrong one spends one try" {
    export SCARD_READERS="sim:iso?presence=$PWD/card"
    touch card
    scard connect --session same >/dev/null
    export SCARD_SESSION=same
    run verify 4711
    assert_failure 1
    for _ in 2 3 4 5 6 7 8 9; do
        run verify 4711
        assert_failure 11
        assert_output --partial 'the card has refused that PIN already. Nothing was sent. With --again'
    done
    run bash -c 'printf "4711\n5678\n" | "$SCARD_BIN" pin change --pin-fd 0'
    assert_failure 11
    run scard pin status -p 81
    assert_output $'81\t2\tnot verified\t63C2'
    run verify 4711 --again
    assert_failure 1
    run scard pin status -p 81
    assert_output $'81\t1\tnot verified\t63C1'
    # Another reference is another PIN; one that is taken lets all be forgotten.
    run verify 1234 --last-try
    assert_success
    run verify 4711
    assert_failure 1
    run verify 4711
    assert_failure 11
}

@test "what a card has refused is forgotten when it is taken out" {
    export SCARD_READERS="sim:iso?presence=$PWD/card"
    touch card
    printf '%s\n' 'pin verify --pin-file wrong' 'wait -q --absent --timeout 20' 'wait -q --timeout 20' reconnect \
        'pin verify --pin-file wrong' 'pin verify --last-try --pin-file wrong' >script
    echo 4711 >wrong
    chmod 600 wrong
    mkfifo lines
    "$SCARD_BIN" run -k script 2>lines 3>&- &
    exec 4<lines
    read -r line <&4
    [[ $line == *'wrong: 2 tries are left for PIN 81'* ]]
    rm card
    scard wait -q --absent --timeout 20
    touch card
    output=$(cat <&4)
    assert_output --partial 'script:5: wrong: '
    assert_output --partial 'script:6: the card has refused that PIN already'
    wait $! || [ $? = 1 ]
}

@test "a blocked PIN is not tried; unblock sets it anew" {
    scard connect --session blocked >/dev/null
    export SCARD_SESSION=blocked
    run verify 4711
    run verify 4712
    run verify 4713 --last-try
    assert_failure 1
    assert_output --partial 'PIN 81 is blocked now'
    run verify 1234 --last-try
    assert_failure 1
    assert_output --partial 'blocked: nothing was sent'
    PUK=87654321 NEW=5678 run scard pin unblock --puk-env PUK --new-pin-env NEW
    assert_failure 1
    assert_output --partial '9 tries are left for PUK'
    PUK=12345678 NEW=5678 run scard pin unblock --puk-env PUK --new-pin-env NEW
    assert_success
    run verify 5678
    assert_success
}

@test "unblock --keep-pin leaves the PIN" {
    scard connect --session keep >/dev/null
    export SCARD_SESSION=keep
    run verify 4711
    run bash -c 'echo 12345678 | "$SCARD_BIN" pin unblock --keep-pin --puk-fd 0'
    assert_success
    run scard pin status -p 81
    assert_output $'81\t3\tnot verified\t63C3'
    run verify 1234
    assert_success
}

@test "change: both from one place, or each from its own" {
    scard connect --session change >/dev/null
    export SCARD_SESSION=change
    run bash -c 'printf "1234\n98765\n" | "$SCARD_BIN" pin change --pin-fd 0'
    assert_success
    run bash -c '"$SCARD_BIN" pin change --pin-fd 3 --new-pin-fd 4 3<<<98765 4<<<4321'
    assert_success
    run verify 4321
    assert_success
    run bash -c 'echo 4321 | "$SCARD_BIN" pin change --pin-fd 0'
    assert_failure 2
    assert_output --partial 'ended before'
}

@test "the commands are those of the standard" {
    run bash -c '"$SCARD_BIN" pin verify -v --pin-fd 3 --format bcd --pad FF:8 3<<<12345 2>&1'
    assert_line --partial '> 00 20 00 81  VERIFY'
    assert_line --partial '> 00 20 00 81 08 **  VERIFY'
    run bash -c '"$SCARD_BIN" pin verify -v --show-secrets --pin-fd 3 --format bcd --pad FF:8 3<<<12345 2>&1'
    assert_line --partial '> 00 20 00 81 08 12 34 5F FF FF FF FF FF'
    run bash -c '"$SCARD_BIN" pin verify -v --show-secrets --pin-fd 3 --format iso9564 -p 1 3<<<12345 2>&1'
    assert_line --partial '> 00 20 00 01 08 25 12 34 5F FF FF FF FF'
    run bash -c '"$SCARD_BIN" pin verify -v --show-secrets --pin-fd 3 --format hex 3<<<"31 32 33 34" 2>&1'
    assert_success
    assert_line --partial '> 00 20 00 81 04 31 32 33 34'
    run bash -c '"$SCARD_BIN" pin change -v --show-secrets --pin-fd 3 --pad ff:8 3<<<1234$'"'\n'"'5678 2>&1'
    assert_success
    assert_line --partial '> 00 24 00 81 10 31 32 33 34 FF FF FF FF 35 36 37 38 FF FF FF FF'
    run bash -c '"$SCARD_BIN" pin unblock -v --show-secrets --keep-pin --puk-fd 3 3<<<12345678 2>&1'
    assert_success
    assert_line --partial '> 00 2C 01 81 08 31 32 33 34 35 36 37 38'
    run scard pin status --aid piv
    assert_failure 1
    assert_output --partial "the card cannot select piv: 6A82"
    run scard pin status --aid nonsense
    assert_failure 2
    assert_output --partial "piv, openpgp"
    run scard pin status -v --aid A0000000
    assert_failure 1
    assert_line --partial '> 00 A4 04 00 04 A0 00 00 00 00  SELECT'
}

@test "what cannot be sent is told without the PIN" {
    run verify 12a4 --format bcd
    assert_failure 2
    assert_output --partial 'digits only'
    refute_output --partial 12a4
    run verify 123 --format iso9564
    assert_failure 2
    run verify 123456789 --pad FF:8
    assert_failure 2
    run verify ''
    assert_failure 2
    run verify 1234 --pad FF
    assert_failure 2
    run scard pin verify 73914682
    assert_failure 2
    refute_output --partial 73914682
    run scard pin verify -p 73914682
    assert_failure 2
    refute_output --partial 73914682
}

@test "T=0, where a command without data has a length of 0" {
    export SCARD_READERS=sim:iso?protocol=T0
    run scard pin status -p 81
    assert_output $'81\t3\tnot verified\t63C3'
    run verify 4711
    assert_failure 1
    assert_output --partial '2 tries'
    run bash -c 'printf "1234\n5678\n" | "$SCARD_BIN" pin change --pin-fd 0'
    assert_success
}

@test "--no-status sends no question" {
    run verify 4711 --no-status -v
    assert_failure 1
    refute_line --regexp '> 00 20 00 81  '
    assert_line --partial '> 00 20 00 81 04 **'
}

@test "a file that others may read is remarked upon" {
    printf '1234\n' >open
    chmod 644 open
    run scard pin verify --pin-file open --json
    assert_success
    assert_line --partial '"t":"warning"'
    chmod 600 open
    run scard pin verify --pin-file open --json
    refute_line --partial '"t":"warning"'
}

@test "typed at a terminal: the tries are shown, nothing is echoed" {
    cat >typing.exp <<TCL
source "$BATS_TEST_DIRNAME/terminal.tcl"
log_file typed
scard pin verify
see {PIN 81 \(3 tries left\): }
send "4711\r"
see {wrong: 2 tries are left}
ended 1
scard pin change
see {3 tries left\): }
send "1234\r"
see {New PIN: }
send "5678\r"
see {New PIN again: }
send "5679\r"
see {differ}
ended 2
scard shell
see {scard> }
send "pin verify\r"
see {PIN 81 \(3 tries left\): }
send "4711\r"
see {wrong: 2 tries}
send "pin verify\r"
see {PIN 81 \(2 tries left\): }
send "\003"
see {interrupted}
send "exit\r"
ended 0
TCL
    TERM=xterm INPUTRC=/dev/null run expect -f typing.exp
    assert_success
    run grep -E '4711|5678|5679' typed
    assert_failure
}

# on_pad KEYS WORD...: "scard pin WORD..." at a reader with a PIN pad on which these keys are pressed.
on_pad() {
    local runtime

    runtime=$(ldd "$SCARD_BIN" | awk '/lib[at]san/ { print $3 }')
    SCARD_READERS=usb: EMU_PROG=scard EMU_INIT="plug ${model:-pinpad}; card 1-1 0 sim:iso; keys 1-1 0 $1" \
        LD_PRELOAD=${runtime:+$runtime:}${USBEMU:?set it to libusbemu.so} "$SCARD_BIN" pin "${@:2}"
}

@test "typed at a terminal, for a session" {
    scard connect --session typed >/dev/null
    cat >typing.exp <<TCL
source "$BATS_TEST_DIRNAME/terminal.tcl"
log_file typed
scard --session typed pin verify
see {PIN 81 \\(3 tries left\\): }
send "1234\r"
ended 0
scard --session typed pin status -p 81
see {81  verified}
ended 0
TCL
    TERM=xterm run expect -f typing.exp
    assert_success
    run grep 1234 typed
    assert_failure
}

@test "PIN pad: the reader asks, and the card judges" {
    for model in pinpad pinpad-short; do
        run on_pad 1234E verify --pinpad --json
        assert_success
        assert_line --partial '"t":"pinpad"'
        assert_line --partial '"t":"pin","action":"verify","reference":"81","done":true'
        run on_pad 1234E verify --pinpad --pad FF:8
        assert_success
        run on_pad 4711E verify --pinpad
        assert_failure 1
        assert_output --partial '2 tries are left'
        run on_pad 1234E5678E5678E change --pinpad --pad FF:8 --json
        assert_success
        assert_line --partial '"action":"change","reference":"81","done":true'
        run on_pad 4711E5678E5678E change --pinpad --pad FF:8
        assert_failure 1
        assert_output --partial '2 tries are left'
    done
}

@test "PIN pad: cancelled, too late; none there; formats" {
    run on_pad 12C verify --pinpad
    assert_failure 130
    assert_output --partial 'cancelled on the reader'
    run on_pad 1T verify --pinpad
    assert_failure 10
    run on_pad 1234E verify --pinpad --format hex
    assert_failure 2
    run on_pad 1234E5678E5678E change --pinpad
    assert_failure 2
    assert_output --partial 'fixed length'
    run on_pad 12345E verify --pinpad --format iso9564
    assert_failure 1
    assert_output --partial '2 tries are left'
    run scard pin verify --pinpad
    assert_failure 2
    assert_output --partial 'has no PIN pad'
}
