#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

# Starts `scard ARGUMENTS`, which serve, and returns once they do; its log is $log, its socket $socket.
start_server() {
    log=$BATS_TEST_TMPDIR/log
    mkfifo "$BATS_TEST_TMPDIR/ready"
    "$SCARD_BIN" --json "$@" >"$BATS_TEST_TMPDIR/ready" 2>"$log" 3>&- &
    server=$!
    exec 4<"$BATS_TEST_TMPDIR/ready"
    read -r line <&4
    [[ $line == *'"t":"serving","socket":'* ]]
    socket=${line#*\"socket\":\"}
    socket=${socket%%\"*}
}

# So that no test leaves a server behind.
teardown() {
    [ -z "${server:-}" ] || kill -KILL "$server" 2>/dev/null || true
}

# A program of pcsc-lite's at that socket.
at_socket() {
    ASAN_OPTIONS='' PCSCLITE_CSOCK_NAME=$socket timeout 20 "$@"
}

@test "a program on pcsc-lite's own library finds the readers; SIGTERM ends the server, and the socket goes" {
    start_server serve
    [ "$socket" = "$XDG_RUNTIME_DIR/scard/scard.comm" ]
    [ "$(stat -c %a "$XDG_RUNTIME_DIR/scard")" = 700 ]
    [ "$(stat -c %a "$socket")" = 600 ]
    run at_socket opensc-tool -l
    assert_success
    assert_output --partial 'scard sim:iso 00 00'
    run at_socket opensc-tool -s 00:A4:00:00:02:3F:00
    assert_success
    assert_output --partial 'SW1=0x90, SW2=0x00'
    kill -TERM $server
    wait $server
    [ ! -e "$socket" ]
    [ ! -e "$socket.lock" ]
}

@test "SIGINT ends it as well" {
    start_server serve --socket "$BATS_TEST_TMPDIR/own"
    kill -INT $server
    wait $server
    [ ! -e "$BATS_TEST_TMPDIR/own" ]
}

@test "signals that come together are one wish: it still ends in order" {
    start_server serve --socket "$BATS_TEST_TMPDIR/own"
    kill -TERM $server
    kill -HUP $server
    wait $server
    [ ! -e "$BATS_TEST_TMPDIR/own" ]
    [ ! -e "$BATS_TEST_TMPDIR/own.lock" ]
}

@test "a socket that cannot be there: the words are about the socket" {
    run scard serve --socket "$BATS_TEST_TMPDIR/missing/folder/socket"
    assert_failure 3
    assert_output --partial "missing/folder: cannot be made"
    assert_output --partial "with --socket"
    refute_output --partial "cable"
}

@test "a live server is not replaced, but named" {
    start_server serve
    run scard serve
    assert_failure 6
    assert_output --partial "$socket: process $server (scard) of user"
    run at_socket opensc-tool -l
    assert_success
}

@test "a socket of a killed server is replaced" {
    start_server serve
    kill -KILL $server
    wait $server || true
    [ -S "$socket" ]
    rm "$BATS_TEST_TMPDIR/ready"
    start_server serve
    run at_socket opensc-tool -l
    assert_success
}

@test "a file in its place is left alone" {
    echo mine >"$BATS_TEST_TMPDIR/file"
    run scard serve --socket "$BATS_TEST_TMPDIR/file"
    assert_failure
    assert_output --partial 'is a file, and not a socket'
    [ "$(cat "$BATS_TEST_TMPDIR/file")" = mine ]
}

@test "--exit-idle: ends when nobody came, and once the last one has gone" {
    run timeout 20 "$SCARD_BIN" serve --exit-idle 10ms
    assert_success
    start_server serve --exit-idle 1
    run at_socket opensc-tool -l
    assert_success
    wait $server
}

@test "--group opens the socket for it; an unknown one is an error" {
    start_server serve --socket "$BATS_TEST_TMPDIR/own" --group "$(id -gn)"
    [ "$(stat -c '%a %G' "$BATS_TEST_TMPDIR/own")" = "660 $(id -gn)" ]
    run scard serve --socket "$BATS_TEST_TMPDIR/other" --group 'no such group'
    assert_failure 2
    assert_output --partial 'there is no group no such group'
    [ ! -e "$BATS_TEST_TMPDIR/other" ]
}

@test "a directory that others can write is refused" {
    mkdir "$BATS_TEST_TMPDIR/open"
    chmod 777 "$BATS_TEST_TMPDIR/open"
    run scard serve --socket "$BATS_TEST_TMPDIR/open/own"
    assert_failure 7
    assert_output --partial 'others may write there'
}

@test "garbage is answered by an end, and one line" {
    start_server serve
    run bash -c 'printf "GET / HTTP/1.1\r\n\r\n" | python3 -c "
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(sys.stdin.buffer.read())
try:
    sys.exit(len(s.recv(1)))
except ConnectionResetError:
    pass" "$0"' "$socket"
    assert_success
    read -r line <&4
    [[ $line == *'"t":"error"'*disconnected* ]]
    run at_socket opensc-tool -l
    assert_success
}

@test "a socket that is passed on (sd_listen_fds) is served, and stays" {
    socket=$BATS_TEST_TMPDIR/passed
    mkfifo "$BATS_TEST_TMPDIR/ready"
    python3 - "$socket" "$SCARD_BIN" "$BATS_TEST_TMPDIR/ready" 3>&- <<'PYTHON' &
import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
open(sys.argv[3], "w").close()
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ["LISTEN_FDS"] = "1"
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], [sys.argv[2], "serve", "--exit-idle", "1"])
PYTHON
    server=$!
    cat "$BATS_TEST_TMPDIR/ready"
    run at_socket opensc-tool -l
    assert_success
    assert_output --partial 'scard sim:iso 00 00'
    wait $server
    [ -S "$socket" ]
}

@test "what is passed on and is no socket is an error" {
    run bash -c 'exec 3</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec "$SCARD_BIN" serve'
    assert_failure 2
    assert_output --partial 'not one listening Unix socket'
}

@test "a client that dies in a transaction frees the card, which is reset" {
    start_server serve
    run at_socket python3 - "$socket" <<'PYTHON'
import os, socket, struct, sys

class Client:
    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(sys.argv[1])
        self.context = self.ask(1, struct.pack("=III", 2, 0, 0))[1]
        name = b"scard sim:iso 00 00".ljust(128, b"\0")
        self.card = self.ask(4, struct.pack("=I128sIIiII", self.context, name, 2, 3, 0, 0, 0), "=I128sIIiII")[4]

    def send(self, command, body):
        self.socket.sendall(struct.pack("=II", len(body), command) + body)

    def receive(self, form):
        return struct.unpack(form, self.socket.recv(struct.calcsize(form), socket.MSG_WAITALL))

    def ask(self, command, body, form=None):
        self.send(command, body)
        return self.receive(form or "=%dI" % (len(body) // 4))

second = Client()
child = os.fork()
if child == 0:
    first = Client()
    assert first.ask(7, struct.pack("=iI", first.card, 0))[1] == 0
    os.kill(os.getpid(), 9)
os.waitpid(child, 0)
code = second.ask(7, struct.pack("=iI", second.card, 0))[1]
assert code == 0x80100068, hex(code)
assert second.ask(5, struct.pack("=iIIIII", second.card, 2, 3, 0, 0, 0))[5] == 0
assert second.ask(7, struct.pack("=iI", second.card, 0))[1] == 0
PYTHON
    assert_success
}

@test "a relative --socket is of the folder that one is in; a pipe gets the line that it is ready" {
    cd "$BATS_TEST_TMPDIR"
    mkdir -m 700 place
    mkfifo ready
    "$SCARD_BIN" serve --socket place/own >ready 3>&- &
    server=$!
    read -r line <ready
    [ "$line" = "$BATS_TEST_TMPDIR/place/own" ]
    SCARD_SERVICE="unix:$BATS_TEST_TMPDIR/place/own" run scard list
    kill $server
    wait $server || true
    assert_success
    assert_output --partial "scard sim:iso"
}
