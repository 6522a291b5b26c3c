#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The short commands of shells and scripts, and their if and for.

load helper

setup() {
    clean_environment
    cd "$BATS_TEST_TMPDIR" || return
}

# lines LINE…: as a script.
lines() {
    printf '%s\n' "$@" >script
    run_apart "$SCARD_BIN" run script
}

readonly OPEN='00A4000C02DF01' HELLO='00A4000C02E101' # a file whose data are Hello

@test "read builds READ BINARY and READ RECORD" {
    lines $OPEN $HELLO 'read binary 0 5' 'read binary 1 4 =9000 ~/^656C/ >out'
    assert_success
    assert_line --index 2 48656C6C6F9000
    assert_equal "$(<out)" ello
    lines $OPEN 'read record 1 =6xxx'
    assert_success
    run scard run --json -c "$OPEN; read record 3 2 =6xxx; read binary 0x100 300 =6xxx; read binary =6xxx"
    assert_success
    assert_output --partial '"c":"00B2031400"'
    assert_output --partial '"c":"00B0010000012C"'
    assert_output --partial '"c":"00B0000000"'
    for wrong in 'read binary 32768' 'read binary 0 0' 'read record 0' 'read record 1 31' 'read dir' 'read binary 0 1 9000'; do
        lines "$wrong"
        assert_failure 2
        assert_output ''
    done
}

@test "getdata puts a tag where it belongs, and uid asks the reader" {
    run scard run --json -c 'getdata 6E =6xxx; getdata 9F7F =6xxx; getdata 5FC102 =6xxx; uid =6xxx'
    assert_success
    assert_output --partial '"c":"00CA006E00"'
    assert_output --partial '"c":"00CA9F7F00"'
    assert_output --partial '"c":"00CB3FFF055C035FC10200"'
    assert_output --partial '"c":"FFCA000000"'
    lines 'getdata 01020304'
    assert_failure 2
}

@test "select takes what may stand behind an APDU" {
    run scard select --file 3F00 =9000 '~/^6F/' '>fci'
    assert_success
    assert [ -s fci ]
    run scard select --file 3F00 '~/^00/'
    assert_failure 1
    run scard select --file 3F00 9000
    assert_failure 2
}

@test "tlv, sw, features and escape are decode and control" {
    lines 'sw 6A82' 'tlv 80 03 010203'
    assert_success
    assert_line --index 0 --partial 'file or application not found'
    assert_output --partial 010203
    lines features
    assert_success
    assert_output --partial GET_TLV_PROPERTIES
    lines 'escape 0102'
    assert_failure
    [[ $errors == *'0x42000001'* ]]
}

@test "use goes on with another reader" {
    export SCARD_READERS='sim:iso sim:odd'
    lines 'use 0' 'status --json' 'use 1' 'status --json' 'use 7'
    assert_failure 4
    assert_output --regexp 'sim:iso.*sim:odd'
    lines 'use 1' 00A4000C023F00=xxxx 'use 0' $OPEN $HELLO 'use 0' 'read binary 0 5'
    assert_success
    assert_line 48656C6C6F9000
}

@test "sleep waits, and no longer than the time given" {
    local from=${EPOCHREALTIME/./}
    lines 'sleep 150ms'
    assert_success
    ((${EPOCHREALTIME/./} - from >= 150000))
    run scard --timeout 0.1 run -c 'sleep 1m'
    assert_failure 10
    lines 'sleep soon'
    assert_failure 2
}

@test "if runs one line or the other" {
    lines 'let a = 1' 'if $a = 1 then echo one else echo two' 'if $a != 1 then echo one else echo two' \
        'if $a ~ ^[2-9] then echo none' 'if "$a" == "1" then if $a = 2 then none else echo not two'
    assert_success
    assert_output $'one\ntwo'
    lines "$OPEN" 'if SW=90xx then echo selected' 'if SW != 9000 then echo not' 'if SW~^90 then echo x'
    assert_failure 2
    assert_output $'9000\nselected'
    lines 'if SW=9000 then echo'
    assert_failure 2
    [[ $errors == *'no status word yet'* ]]
    for wrong in 'if a = b' 'if a then b' 'if a ~ ( then b' 'if a < b then c' 'for a do b' 'for a in b' 'for in b do c' --json\ if; do
        lines "$wrong"
        assert_failure 2
        [[ $errors != *'no command'* ]]
    done
}

@test "for runs a line with each word" {
    lines 'for fid in 3F00 2FE2 do 00A4000C02 $fid' 'for a in 1 2 do for b in x "y z" do echo $a "$b"' 'echo $a'
    assert_success
    assert_output $'9000\n9000\n1 x\n1 y z\n2 x\n2 y z\n2'
    lines 'for fid in FFFF 3F00 do 00A4000C02 $fid'
    assert_failure 1
    assert_output 6A82
    run_apart "$SCARD_BIN" run -k script
    assert_failure 1
    assert_output $'6A82\n9000'
    lines 'for i in 1 2 do exit 7' 'echo no'
    assert_failure 7
    assert_output ''
}

@test "lines within lines have an end" {
    printf -v many 'if 1 = 1 then %.0s' {1..4000}
    lines "$many echo deep"
    assert_failure 2
    [[ $errors == *'more than 32'* ]]
}

@test "what looks like a PIN behind if and for is not shown" {
    run scard run --json -c 'if 1 = 1 then 002000800831323334FFFFFFFF =xxxx'
    assert_output --partial '"masked":true'
    refute_output --partial 31323334
}

@test "help knows them" {
    run scard run -c 'help if; help for; help read; help getdata; help use'
    assert_success
    assert_output --partial 'for NAME in WORD... do LINE'
}
