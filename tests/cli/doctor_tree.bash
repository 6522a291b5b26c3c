# SPDX-License-Identifier: MIT
# Prepared systems for scard doctor: trees of the files that it reads, sound or with one fault; and what the commands
# that it prints would do to them.

# put PATH [TEXT]: a file of the tree.
put() {
    mkdir -p "$(dirname "$tree/$1")"
    printf '%s\n' "${2-}" >"$tree/$1"
}

# descriptors FILE [CLASS [ENDPOINTS [FEATURES]]]: device, configuration, one CCID interface; FEATURES none: without a
# class descriptor.
descriptors() {
    mkdir -p "${1%/*}"
    perl -e '
        my ($class, $endpoints) = (hex $ARGV[0], $ARGV[1]);
        my $features = $ARGV[2] eq "none" ? 0 : hex $ARGV[2];
        my $ccid = $ARGV[2] eq "none" ? "" : pack("CCvCCVVVCVVCVVVVVCCvCC", 54, 0x21, 0x110, 0, 7, 3, 4000, 4000, 0, 10752,
            344086, 0, 254, 0, 0, $features, 271, 0xFF, 0xFF, 0, 0, 1);
        my @ends = (pack("C4vC", 7, 5, 0x02, 2, 64, 0), pack("C4vC", 7, 5, 0x82, 2, 64, 0), pack("C4vC", 7, 5, 0x83, 3, 8, 10));
        my $body = pack("C9", 9, 4, 0, 0, $endpoints, $class, 0, 0, 0) . $ccid . join("", @ends[0 .. $endpoints - 1]);
        print pack("CCvC4vvvC4", 18, 1, 0x200, 0, 0, 0, 8, 0x1209, 0xcc1d, 0x100, 1, 2, 3, 1),
            pack("CCvC5", 9, 2, 9 + length $body, 1, 1, 0, 0x80, 50), $body;' "${2:-0b}" "${3:-3}" "${4:-10230}" >"$1"
}

# reader [PATH [ADDRESS [VENDOR PRODUCT FIRMWARE]]]: one on the bus.
reader() {
    local path=${1:-1-1} device=sys/bus/usb/devices/${1:-1-1} node

    node=dev/bus/usb/001/$(printf %03d "${2:-2}")
    put "$device/idVendor" "${3:-1209}"
    put "$device/idProduct" "${4:-cc1d}"
    put "$device/bcdDevice" "${5:-0100}"
    put "$device/manufacturer" Emu
    put "$device/product" Reader
    put "$device/busnum" 1
    put "$device/devnum" "${2:-2}"
    put "$device/authorized" 1
    put "$device/power/control" on
    put "$device/power/runtime_status" active
    descriptors "$tree/$device/descriptors"
    put "$device:1.0/bInterfaceClass" 0b
    put "$device:1.0/bInterfaceNumber" 00
    put "$device:1.0/uevent" 'INTERFACE=11/0/0'
    put "$node"
    chmod 666 "$tree/$node"
    put "run/udev/data/c189:$((${2:-2} - 1))" $'I:1\nG:uaccess\nQ:uaccess'
}

# driver NAME: bound to the reader's interface; nothing: none.
driver() {
    put sys/bus/usb/devices/1-1:1.0/uevent "${1:+DRIVER=$1}"
}

# process PID NAME [UID [FILE]]: one that runs, with a file open.
process() {
    put "proc/$1/comm" "$2"
    put "proc/$1/status" "$(printf 'Name:\t%s\nUid:\t%s\t%s\t%s\t%s' "$2" "${3:-0}" "${3:-0}" "${3:-0}" "${3:-0}")"
    printf '%s\0--option\0' "/usr/bin/$2" >"$tree/proc/$1/cmdline"
    mkdir -p "$tree/proc/$1/fd"
    [ -z "${4:-}" ] || ln -s "$4" "$tree/proc/$1/fd/7"
}

sound_tree() {
    tree=$BATS_TEST_TMPDIR/tree
    mkdir -p "$tree/sys/bus/usb/devices/usb1" "$tree/etc/udev/rules.d" "$tree/run/udev/data"
    put etc/passwd $'root:x:0:0:root:/root:/bin/sh\npcscd:x:64991:64991::/:/bin/false\nalice:x:65501:65501::/home/alice:/bin/sh'
    put etc/group $'root:x:0:\nalice:x:65501:'
    put proc/sys/kernel/osrelease 6.1.0-18-amd64
    put proc/self/mountinfo '22 1 0:21 / /proc rw,nosuid shared:12 - proc proc rw'
    put proc/1/cgroup 0::/init.scope
    process 1 systemd
    put dev/kmsg '6,1,1,-;usb 1-1: new full-speed USB device number 2'
    mkdir -p "$tree/usr/lib/udev/rules.d"
    cp "$BATS_TEST_DIRNAME/../../libscard/udev/70-scard.rules" "$tree/usr/lib/udev/rules.d/"
    put usr/lib/udev/rules.d/73-seat-late.rules 'TAG=="uaccess", ENV{MAJOR}!="", RUN{builtin}+="uaccess"'
    reader
}

# answering PATH MAJOR MINOR REFUSAL [ESTABLISH]: a server that says just that to everybody, until the test ends.
answering() {
    mkdir -p "$tree/${1%/*}"
    coproc server { exec perl -MIO::Socket::UNIX -e '
        my ($path, $major, $minor, $refusal, $establish) = @ARGV;
        chdir($path =~ s#/[^/]*$##r) or die;
        my $listener = IO::Socket::UNIX->new(Local => ($path =~ s#.*/##r), Listen => 5) or die "$path: $!";
        $| = 1;
        print "ready\n";
        while (my $client = $listener->accept) {
            while (read($client, my $header, 8) == 8) {
                my ($size, $command) = unpack("LL", $header);
                read($client, my $body, $size) == $size or last;
                print $client $command == 0x11 ? pack("LLL", $major, $minor, hex $refusal)
                    : pack("LLL", 2, 1, hex $establish);
                $client->flush;
            }
        }' "$tree/$1" "$2" "$3" "${4:-0}" "${5:-0}" 3>&-; }
    server_pid=$server_PID
    read -r -u "${server[0]}" _
}

# A socket that nobody listens at.
stale() {
    mkdir -p "$tree/${1%/*}"
    perl -MIO::Socket::UNIX -e 'chdir($ARGV[0] =~ s#/[^/]*$##r) or die;
        IO::Socket::UNIX->new(Local => ($ARGV[0] =~ s#.*/##r), Listen => 1) or die' "$tree/$1"
}

end_server() {
    [ -z "${server_pid:-}" ] || kill "$server_pid" 2>/dev/null || true
    server_pid=
}

# What the fix does, where /etc and so on are the tree's, and what is not a file is changed as the real programs would.
mend() {
    local command

    command=$(sed -E "s#(^|[ >\"'])/(etc|sys|run|usr|home|dev|proc)(/|\$)#\1$tree/\2\3#g" <<<"$fix")
    (
        set -e
        export HOME=$tree/home/alice
        unset GNUPGHOME
        sudo() { "$@"; }
        udevadm() { [ "$1" != trigger ] || applied_rules; }
        modprobe() { [ "$1" = -r ] && driver; }
        update-initramfs() { :; }
        groupadd() { grep -q "^${*: -1}:" "$tree/etc/group" || echo "${*: -1}:x:64777:" >>"$tree/etc/group"; }
        usermod() { sed -i "s/^$2:.*/&$3/" "$tree/etc/group"; }
        systemctl() { end_server; rm -f "$tree/run/pcscd/pcscd.comm"; [ "$1" = stop ] || [ "$1" = disable ] || answers_now=yes; }
        gpgconf() { driver; find "$tree/proc" -name 7 -delete; rm -rf "$tree/proc/600"; }
        kill() { rm -rf "$tree/proc/${!#}"; driver; }
        mount() { sed -i s/hidepid=invisible/hidepid=0/ "$tree/proc/self/mountinfo"; }
        ausearch() { :; }
        audit2allow() { :; }
        semodule() { : >"$tree/var/log/audit/audit.log"; }
        fwupdmgr() { put sys/bus/usb/devices/1-1/bcdDevice 0206; }
        apt() { :; }
        eval "$command"
    ) >/dev/null
}

# What the kernel and udev make of the rules.
applied_rules() {
    local data=$tree/run/udev/data/c189:1 file

    chmod 600 "$tree/dev/bus/usb/001/002"
    echo I:1 >"$data"
    for file in $(cd "$tree" && ls -1 etc/udev/rules.d usr/lib/udev/rules.d | grep '\.rules$' | sort); do
        [ -e "$tree/etc/udev/rules.d/$file" ] && file=$tree/etc/udev/rules.d/$file || file=$tree/usr/lib/udev/rules.d/$file
        if grep -qE '^[^#]*(:0b|idVendor).*TAG\+="uaccess"' "$file" && [[ ${file##*/} < 73-seat ]]; then
            echo Q:uaccess >>"$data"
            chmod 666 "$tree/dev/bus/usb/001/002"
        elif grep -qE '^[^#]*(:0b|idVendor).*GROUP=' "$file"; then
            given=$(sed -nE 's/^[^#]*GROUP="([^"]*)".*/\1/p' "$file")
            # Only root can give a file away: for others it is enough to be in the group.
            if grep -qE "^$given:.*alice" "$tree/etc/group"; then
                chmod 666 "$tree/dev/bus/usb/001/002"
            fi
        fi
    done
}

# examine [OPTION…]: as alice; then $cause, $id, $code, $fix, and $output has every line.
examine() {
    run scard --json doctor --root "$tree" --user alice "$@"
    cause=$(jq -r 'select(.t == "diagnosis").cause' <<<"$output")
    id=$(jq -r 'select(.t == "diagnosis").id' <<<"$output")
    code=$(jq -r 'select(.t == "diagnosis").code' <<<"$output")
    fix=$(jq -r 'select(.t == "diagnosis") | .fix // ""' <<<"$output")
    [ "$code" = "$status" ]
}

# assert_cause ID STATUS CAUSE FIX: the last two as parts of the text.
assert_cause() {
    if [ "$id" != "$1" ] || [ "$status" != "$2" ] || [[ $cause != *"$3"* ]] || [[ $fix != *"$4"* ]]; then
        printf '%s\n' "id $id, status $status" "cause: $cause" "fix: $fix" "$(grep -v '"level":"\(ok\|skip\)"' <<<"$output")" | fail
    fi
}

assert_green() {
    examine
    if [ "$status" != 0 ] || [ "$cause" != "nothing is wrong" ]; then
        printf '%s\n' "not green: $id, status $status" "cause: $cause" "fix: $fix" "$(grep -v '"level":"\(ok\|skip\)"' <<<"$output")" | fail
    fi
}
