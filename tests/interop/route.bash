# SPDX-License-Identifier: MIT
#
# The ways a program made for pcsc-lite comes to our readers. ROUTE says which: dropin, in its own process by the
# libraries in the folder DROPIN; serve, by pcsc-lite's own library and the socket of `SCARD serve`.
load /usr/lib/bats/bats-support/load.bash
load /usr/lib/bats/bats-assert/load.bash

# start NAME LINE COMMAND…: in the background, until it says LINE on standard output; its process id in NAME_pid.
start() {
    local name=$1 wanted=$2 line fifo=$BATS_FILE_TMPDIR/$1.out

    mkfifo "$fifo"
    "${@:3}" >"$fifo" 2>"$BATS_FILE_TMPDIR/$name.err" 3>&- &
    declare -g "${name}_pid=$!"
    exec {line_fd}<"$fifo"
    if ! read -r -t 60 line <&"$line_fd" || [[ $line != *$wanted* ]]; then
        echo "$name did not start: $line $(<"$BATS_FILE_TMPDIR/$name.err")" >&2
        return 1
    fi
}

# route_begin READERS LIBRARY: the readers, and what is preloaded into the program that has them: vpcd_insert puts
# libcacard's card into vpcd readers, usbemu makes those on USB.
route_begin() {
    unset ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
    export ROUTE_READERS=$1 ROUTE_LIBRARY=$2 ROUTE_SOCKET=$BATS_FILE_TMPDIR/scard.comm
    if [ "$ROUTE_LIBRARY" = "$VPCD_INSERT" ]; then
        export VPCD_CARD=$BATS_FILE_TMPDIR/card
        start card listening "$CACARD_BRIDGE" "$VPCD_CARD" "$NSSDB"
    fi
    if [ "$ROUTE" = serve ]; then
        start server "$ROUTE_SOCKET" env LD_PRELOAD="$ROUTE_LIBRARY" SCARD_SERVICE=local \
            "$SCARD" --json --readers "$ROUTE_READERS" serve --socket "$ROUTE_SOCKET"
    fi
}

route_end() {
    local pid

    for pid in ${server_pid:-} ${card_pid:-}; do
        kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true
    done
}

# The environment of a program on the route, for env.
route_environment() {
    case $ROUTE in
    dropin)
        route=(LD_LIBRARY_PATH="$DROPIN" LD_PRELOAD="$ROUTE_LIBRARY" SCARD_SERVICE=local
            SCARD_READERS="$ROUTE_READERS")
        ;;
    serve) route=(PCSCLITE_CSOCK_NAME="$ROUTE_SOCKET") ;;
    *) echo "ROUTE=$ROUTE: say dropin or serve" >&2 && return 1 ;;
    esac
}

on_route() {
    local route

    route_environment
    run env "${route[@]}" timeout 60 "$@"
}
