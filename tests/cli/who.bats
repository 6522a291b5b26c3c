#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Who has a file, a node, a socket: real processes and real sockets; the node of a reader in a prepared tree.
load helper
load doctor_tree

setup() {
    clean_environment
    unset PCSCLITE_CSOCK_NAME
    pids=()
}

teardown() {
    local pid

    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    end_server
    [ -z "${open:-}" ] || rm -rf "$open"
}

# holding PATH: a process that has it open, in $holder.
holding() {
    coproc hold { exec perl -e 'open my $file, "<", $ARGV[0] or die; $| = 1; print "ready\n"; sleep 600' "$1" 3>&-; }
    holder=$hold_PID
    pids+=("$holder")
    read -r -u "${hold[0]}" _
}

# serving: scard serve for this test, in $served, at $socket.
serving() {
    socket=$XDG_RUNTIME_DIR/scard/scard.comm
    mkfifo "$BATS_TEST_TMPDIR/ready"
    SCARD_READERS=sim:iso "$SCARD_BIN" --json serve --socket "$socket" >"$BATS_TEST_TMPDIR/ready" 2>&1 3>&- &
    served=$!
    pids+=("$served")
    read -r _ <"$BATS_TEST_TMPDIR/ready"
}

# connected PATH: a process that is connected to the socket, in $client.
connected() {
    coproc connection { exec perl -MIO::Socket::UNIX -e '
        my $socket = IO::Socket::UNIX->new($ARGV[0]) or die; $| = 1; print "ready\n"; sleep 600' "$1" 3>&-; }
    client=$connection_PID
    pids+=("$client")
    read -r -u "${connection[0]}" _
}

@test "a file that a process has open: its id, user, program, use" {
    touch "$BATS_TEST_TMPDIR/node"
    holding "$BATS_TEST_TMPDIR/node"
    run_apart "$SCARD_BIN" who "$BATS_TEST_TMPDIR/node"
    assert_success
    assert_output "$holder"$'\t'"$(id -un)"$'\tperl\tfile\t'"$BATS_TEST_TMPDIR/node"$'\t'"$BATS_TEST_TMPDIR/node"
    run scard --json who "$BATS_TEST_TMPDIR/node"
    [ "$(jq -r 'select(.t == "holder").pid' <<<"$output")" = "$holder" ]
    [[ $(jq -r 'select(.t == "holder").command' <<<"$output") == "perl -e"* ]]
    [ "$(jq -r 'select(.t == "hidden").processes' <<<"$output")" -ge 0 ]
}

@test "nobody has it" {
    touch "$BATS_TEST_TMPDIR/node"
    run_apart "$SCARD_BIN" who "$BATS_TEST_TMPDIR/node"
    assert_success
    assert_output ""
    run on_terminal who "$BATS_TEST_TMPDIR/node"
    assert_output --partial "Nobody is seen."
    [ "$(id -u)" != 0 ] || refute_output --partial sudo
}

@test "server and clients of scard serve" {
    serving
    connected "$socket"
    run scard --json who
    assert_success
    [ "$(jq -r --arg path "$socket" 'select(.t == "holder" and .of == $path and .use == "server").pid' <<<"$output")" = "$served" ]
    [ "$(jq -r --arg path "$socket" 'select(.t == "holder" and .of == $path and .use == "client").pid' <<<"$output")" = "$client" ]
    run scard who "$socket"
    assert_line --regexp "^$client"$'\t.*\tperl\tclient\t'
    assert_line --regexp "^$served"$'\t.*\tscard\tserver\t'
}

@test "clients of the socket that PCSCLITE_CSOCK_NAME names" {
    serving
    connected "$socket"
    PCSCLITE_CSOCK_NAME=$socket XDG_RUNTIME_DIR=/nowhere run scard who
    assert_success
    assert_line --regexp "^$client"$'\t.*\tperl\tclient\t'"$socket"
}

@test "a reader that is not on USB: who uses its service" {
    serving
    connected "$socket"
    run scard who iso
    assert_success
    assert_line --regexp "^$client"$'\t'
}

@test "a reader in a prepared tree: the holders of its node" {
    sound_tree
    process 600 scdaemon 65501 /dev/bus/usb/001/002
    process 601 other 0 /dev/null
    for reader in 1-1 usb:1-1:1.0 1209:cc1d emu; do
        run scard who --root "$tree" "$reader"
        assert_success
        assert_output $'600\talice\tscdaemon\treader\tEmu Reader\t/dev/bus/usb/001/002'
    done
    run scard who --root "$tree"
    assert_output --partial $'600\talice\tscdaemon'
    run scard who --root "$tree" 2-2
    assert_failure 4
}

@test "a reader that there is not: status 4" {
    run scard who nonsense
    assert_failure 4
    assert_output --partial nonsense
}

@test "what a process calls itself does not steer the terminal" {
    sound_tree
    process 600 x 65501 /dev/bus/usb/001/002
    printf 'e\033[2Jvil\n' >"$tree/proc/600/comm"
    printf 'a\033]0;x\a\0\377b\0' >"$tree/proc/600/cmdline"
    run on_terminal who --root "$tree"
    assert_success
    assert_output --partial "a?]0;x? ?b"
    refute_output --partial $'\033[2J'
    refute_output --partial $'\033]'
}

@test "in a shell" {
    touch "$BATS_TEST_TMPDIR/node"
    holding "$BATS_TEST_TMPDIR/node"
    run in_shell "who $BATS_TEST_TMPDIR/node"
    assert_success
    assert_output --partial "$holder"
}

@test "in a pipe, too, it is said that processes could not be looked into" {
    touch "$BATS_TEST_TMPDIR/node"
    plain=("$SCARD_BIN")
    if [ "$(id -u)" = 0 ]; then
        # Where nobody can go.
        open=$(mktemp -d /tmp/scard-who-XXXXXX)
        chmod 755 "$open"
        cp "$SCARD_BIN" "${SCARD_BIN%/*}/libscard.so.1" "$open"
        plain=(setpriv --reuid 65534 --regid 65534 --clear-groups env LD_LIBRARY_PATH="$open" "$open/${SCARD_BIN##*/}")
    fi
    run_apart "${plain[@]}" who "$BATS_TEST_TMPDIR/node"
    assert_success
    assert_output ""
    [[ $errors == *" could not be looked into: root can"* ]]
    run_apart "${plain[@]}" who -q "$BATS_TEST_TMPDIR/node"
    [ -z "$errors" ]
}

@test "a reader that is not there: those that are" {
    run scard who nosuch
    assert_failure 4
    assert_output --partial 'no reader matches "nosuch"; there are: 0 scard sim:iso 00 00. Name one by its number'
    sound_tree
    run scard who --root "$tree" nosuch
    assert_failure 4
    assert_output --partial 'no reader matches "nosuch"; there are: 1-1 '
}
