# SPDX-License-Identifier: MIT
# For the scripts of session.bats, and for the file itself: events of sessions.

# The process of the session that commands here would use.
session_pid() {
    scard sessions --json | sed -n '/"current":true/s/.*"pid":\([0-9]*\).*/\1/p'
}

# Until a command runs in it.
until_busy() {
    until [ "$(scard sessions | cut -f2)" = busy ]; do
        :
    done
}

# Until process $1 has gone to a session.
until_waiting() {
    until ls -l "/proc/$1/fd" 2>/dev/null | grep -q socket; do
        :
    done
}

# A watch that runs in the session; its first line, which --json has, says that it does. $watch is its process.
start_watch() {
    rm -f "$BATS_TEST_TMPDIR/watch"
    mkfifo "$BATS_TEST_TMPDIR/watch"
    scard watch --json >"$BATS_TEST_TMPDIR/watch" &
    watch=$!
    exec 6<"$BATS_TEST_TMPDIR/watch"
    read -r <&6
}

# Until session $1 has ended: it holds its lock to the end.
wait_end() {
    { flock 7; } 7<"$place/$1.lock" 2>/dev/null || true
    [ ! -e "$place/$1.sock" ] && [ ! -e "$place/$1.lock" ]
}

# Sends the bytes $2 (hex) to session $1 and tells how many come back. More words: a program to do that under.
send_raw() {
    "${@:3}" perl -MSocket -e '
        chdir $ARGV[0] or die $!;
        socket(my $socket, AF_UNIX, SOCK_STREAM, 0) or die $!;
        connect($socket, pack_sockaddr_un("$ARGV[1].sock")) or die $!;
        $SIG{PIPE} = "IGNORE";
        syswrite $socket, pack("H*", $ARGV[2]);
        shutdown $socket, 1;
        my ($count, $got) = (0);
        $count += $got while $got = sysread $socket, my $bytes, 4096;
        print $count;' "$place" "$1" "$2"
}
