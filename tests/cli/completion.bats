#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Completion in bash, zsh and fish: the functions with a given line, and typed at a terminal.
load helper

setup() {
    clean_environment
    export SCARD_READERS=sim:iso,sim:echo COMPLETIONS=$BATS_TEST_DIRNAME/../../completions
    export INPUTRC=/dev/null TERM=xterm HOME=$BATS_TEST_TMPDIR ZDOTDIR=$BATS_TEST_TMPDIR
    mkdir -p "$BATS_TEST_TMPDIR/bin" "$BATS_TEST_TMPDIR/work/folder"
    ln -s "$SCARD_BIN" "$BATS_TEST_TMPDIR/bin/scard"
    export PATH=$BATS_TEST_TMPDIR/bin:$PATH
    cd "$BATS_TEST_TMPDIR/work" || return
    printf '\0' >'folder/an image (1).bin'
}

# A stand-in for the program, with candidates that no reader here has.
stand_in() {
    rm "$BATS_TEST_TMPDIR/bin/scard"
    printf '%s\n' '#!/bin/sh' "printf '%s\\t%s\\n' \"ACME (\\\$HOME) \\\"X\\\" 00\" card" \
        >"$BATS_TEST_TMPDIR/bin/scard"
    chmod +x "$BATS_TEST_TMPDIR/bin/scard"
}

# in_bash WORD…: COMPREPLY, one a line, for these pieces of a line as bash makes them; pieces that begin with '+' follow
# without a blank.
in_bash() {
    bash --norc -c '
        . "$COMPLETIONS/scard.bash"
        COMP_LINE=$1 COMP_WORDS=("$1")
        shift
        for piece; do
            if [[ $piece == +* ]]; then piece=${piece#+}; else COMP_LINE+=" "; fi
            COMP_LINE+=$piece COMP_WORDS+=("$piece")
        done
        COMP_POINT=${#COMP_LINE} COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _scard scard
        printf "%s\n" "${COMPREPLY[@]}"
    ' bash scard "$@"
}

# typing SHELL: what expect types, from standard input.
typing() {
    { echo "source \"$BATS_TEST_DIRNAME/terminal.tcl\""; cat; } >"$BATS_TEST_TMPDIR/typing.exp"
    run expect -f "$BATS_TEST_TMPDIR/typing.exp"
}

@test "__complete: commands with what they do, no hidden ones" {
    run scard __complete -- ''
    assert_success
    assert_line --partial $'apdu\t'
    refute_output --partial __complete
    run scard __complete -- apdu --raw -r ''
    assert_line --index 0 $'scard sim:iso 00 00\tcard'
    run scard __complete -- run ''
    assert_output --partial :files
}

@test "__complete: names of the database, URIs of readers" {
    scard card introduce "Staff badge" --from-card -r iso
    scard reader introduce Desk sim:iso
    scard group add Counters Desk
    for command in locate "card forget" "card provider"; do
        run scard __complete -- $command ''
        assert_line --partial "Staff badge"
    done
    run scard __complete -- group forget C
    assert_output --partial Counters
    run scard __complete -- --readers s
    assert_line --index 0 --partial sim:iso
    run scard __complete -- --readers u
    assert_output --partial usb:
}

@test "__complete is silent where there is nothing" {
    SCARD_READERS=nonsense: run scard __complete -- apdu -r ''
    assert_success
    assert_output ''
    run scard __complete -- nonsense ''
    assert_output ''
}

@test "bash: commands and options" {
    run in_bash recon
    assert_output reconnect
    run in_bash apdu --show-s
    assert_output -- --show-secrets
}

@test "bash: words that it breaks at = and :" {
    run in_bash connect --share +=
    assert_output $'shared\nexclusive\ndirect'
    run in_bash connect --share += +ex
    assert_output exclusive
    run in_bash apdu -r 'scard\ sim' +: +i
    assert_output 'iso\ 00\ 00'
}

@test "bash: readers are quoted as the word is" {
    run in_bash apdu -r 'scard\ sim' +:
    assert_output $'iso\\ 00\\ 00\necho\\ 01\\ 00'
    run in_bash apdu -r '"scard sim:i'
    assert_output 'scard sim:iso 00 00'
    run in_bash apdu -r '"scard sim:iso 00 00"' --ra
    assert_output -- --raw
    stand_in
    run in_bash apdu -r ''
    assert_output 'ACME\ \(\$HOME\)\ \"X\"\ 00'
    run in_bash apdu -r "'ACME"
    assert_output 'ACME ($HOME) "X" 00'
    run in_bash apdu -r '"ACME'
    assert_output 'ACME (\$HOME) \"X\" 00'
}

@test "bash: files, also behind @" {
    run in_bash run folder/a
    assert_output 'folder/an image (1).bin'
    run in_bash apdu 00d60000 +: +@folder/a
    assert_output '@folder/an\ image\ \(1\).bin'
}

@test "bash: typed, the line does what it says" {
    typing <<'TCL'
    set env(PS1) "ready> "
    spawn -noecho bash --norc --noprofile
    see {ready> }
    send ". \$COMPLETIONS/scard.bash\r"
    see {scard.bash\r\n.*ready> }
    send "scard stat\t"
    see {status }
    send -- "-r scard\\ sim:i\t"
    see {iso\\ 00\\ 00 }
    send -- "--js\t\r"
    see {"t":"status","reader":"scard sim:iso 00 00"}
    see {ready> }
    send "scard status -r \"scard sim:e\t"
    see {echo 01 00" }
    send -- "--json\r"
    see {"t":"status","reader":"scard sim:echo 01 00"}
    send "exit\r"
    ended 0
TCL
    assert_success
}

@test "zsh: typed, the line does what it says" {
    typing <<'TCL'
    set env(PS1) "ready> "
    spawn -noecho zsh -f -i
    see {ready> }
    send "PROMPT='g''o> '; unsetopt PROMPT_SP; fpath=(\$COMPLETIONS \$fpath); autoload -Uz compinit; compinit -D -u; bindkey -e\r"
    see {go> }
    send "scard recon\t"
    see {reconnect}
    send "\025scard status -r 'scard sim:i\t"
    see {iso 00 00'}
    send -- "--js\t\r"
    see {"t":"status","reader":"scard sim:iso 00 00"}
    see {go> }
    send "scard connect --share=ex\t"
    see {exclusive}
    send "\025scard run folder/a\t"
    see {an\\ image\\ \\\(1\\\)\.bin}
    send "\025scard apdu 00d60000:@folder/a\t"
    see {@folder/an\\ image\\ \\\(1\\\)\.bin}
    send "\025exit\r"
    ended 0
TCL
    assert_success
}

# in_fish LINE: candidates with what they are.
in_fish() {
    LINE=$1 fish --no-config -c 'source $COMPLETIONS/scard.fish; complete -C "$LINE"'
}

@test "fish" {
    run in_fish 'scard rec'
    assert_output --regexp $'^reconnect\t'
    run in_fish 'scard connect --share=ex'
    assert_output --regexp '^--share=exclusive'
    run in_fish 'scard status -r '
    assert_line $'scard sim:iso 00 00\tcard'
    run in_fish 'scard status -r "scard sim:i'
    assert_output --partial 'sim:iso 00 00'
    run in_fish "scard status -r 'scard sim:iso 00 00' --js"
    assert_output --regexp '^--json'
    run in_fish 'scard run folder/a'
    assert_output --partial 'folder/an image (1).bin'
    run in_fish 'scard apdu 00d60000:@folder/a'
    assert_output --partial '00d60000:@folder/an image (1).bin'
    stand_in
    run in_fish 'scard apdu -r '
    assert_output --partial 'ACME ($HOME) "X" 00'
}
