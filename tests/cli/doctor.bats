#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Faults, each in a prepared tree: the cause that is named, its status, and the command; which is then run on the tree
# (doctor_tree.bash), and the tree is green.
load helper
load doctor_tree

setup() {
    clean_environment
    unset SCARD_SERVICE SCARD_READERS PCSCLITE_CSOCK_NAME SSH_CONNECTION SNAP SNAP_INSTANCE_NAME XDG_SESSION_ID \
        SCARD_CONFIG LD_PRELOAD LIBPCSCLITE_DELEGATE GNUPGHOME
    sound_tree
}

teardown() {
    end_server
}

@test "nothing is wrong" {
    assert_green
    refute_output --partial '"level":"warn"'
    assert_output --partial '"id":"usb.desc"'
    [ "$(jq -r 'select(.t == "check").id' <<<"$output" | uniq | wc -l)" -ge 28 ]
}

@test "no USB at all" {
    rm -r "$tree/sys/bus"
    examine
    assert_cause usb.sysfs 4 "shows no USB at all" "scard wait --reader-in"
    reader
    assert_green
}

@test "no reader among the devices; in a virtual machine it has to be handed in" {
    put sys/bus/usb/devices/1-1/product Mouse
    put sys/bus/usb/devices/1-1:1.0/bInterfaceClass 03
    rm "$tree/sys/bus/usb/devices/1-1/descriptors"
    examine
    assert_cause usb.sysfs 4 "none of the 1 devices on USB is a smart-card reader" "scard wait --reader-in"
    refute_output --partial "virtual machine"
    put sys/class/dmi/id/sys_vendor QEMU
    examine
    assert_cause usb.sysfs 4 "hand it to this virtual machine" ""
    reader
    assert_green
}

@test "WSL without a reader" {
    put proc/sys/kernel/osrelease 5.15.153.1-microsoft-standard-WSL2
    rm -r "$tree"/sys/bus/usb/devices/1-1*
    examine
    assert_cause env.wsl 4 "Windows has not handed it a reader" "usbipd.exe attach --wsl --busid BUSID"
    reader
    assert_green
}

@test "containers: docker, podman, lxc, systemd-nspawn, kubernetes" {
    rm -r "$tree/dev/bus"
    for kind in docker podman lxc nspawn kubernetes; do
        rm -rf "$tree/.dockerenv" "$tree/run/.containerenv" "$tree/run/systemd/container"
        put proc/1/cgroup 0::/
        case $kind in
        docker) put .dockerenv ;;
        podman) put run/.containerenv ;;
        lxc) put run/systemd/container lxc ;;
        nspawn) put run/systemd/container systemd-nspawn ;;
        kubernetes) put proc/1/cgroup 0::/kubepods/besteffort/pod1 ;;
        esac
        examine
        assert_cause env.container 4 "has neither a reader's device nor pcscd's socket" ""
        case $kind in
        docker | podman) [ "$fix" = "$kind run --device /dev/bus/usb/001/002 ..." ] ;;
        lxc) [[ $fix == "lxc config device add "* ]] ;;
        nspawn) [[ $fix == "systemd-nspawn --bind=/run/pcscd"* ]] ;;
        kubernetes) [[ $fix == *hostPath* ]] ;;
        esac
    done
    put dev/bus/usb/001/002
    chmod 666 "$tree/dev/bus/usb/001/002"
    assert_green
}

@test "a container without a reader on its bus: the socket of pcscd" {
    rm -r "$tree/dev/bus" "$tree"/sys/bus/usb/devices/1-1*
    put .dockerenv
    examine
    assert_cause env.container 4 docker "docker run -v /run/pcscd/pcscd.comm:/run/pcscd/pcscd.comm"
    answering run/pcscd/pcscd.comm 4 4
    put usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist
    examine
    [ "$id" != env.container ]
}

@test "flatpak and snap" {
    rm -r "$tree/dev/bus"
    put .flatpak-info $'[Application]\nname=org.example.App'
    examine
    assert_cause env.container 3 "inside flatpak" "flatpak override --user --socket=pcsc org.example.App"
    put .flatpak-info $'[Application]\nname=$(reboot)'
    examine
    assert_cause env.container 3 "inside flatpak" "flatpak override --user --socket=pcsc APPLICATION"
    rm "$tree/.flatpak-info"
    export SNAP=/snap/app/1 SNAP_INSTANCE_NAME=app
    examine
    assert_cause env.container 3 "inside a snap" "sudo snap connect app:pcscd"
    put dev/bus/usb/001/002
    chmod 666 "$tree/dev/bus/usb/001/002"
    assert_green
}

@test "a configuration error, of the machine and of the user" {
    put etc/scard/scard.conf $'usb = true;\nreader = ( "sim:iso" );'
    examine
    assert_cause config 3 "/etc/scard/scard.conf, line 2: unknown setting 'reader'" "sudo sed -i '2s/^/#/' /etc/scard/scard.conf"
    mend
    assert_green
    put etc/scard/scard.conf 'readers = ( "sim:iso" '
    examine
    assert_cause config 3 "/etc/scard/scard.conf, line 2: syntax error" "sudo mv /etc/scard/scard.conf /etc/scard/scard.conf.off"
    mend
    assert_green
    put home/alice/.config/scard/scard.conf 'readers = ( sim'
    examine
    assert_cause config 3 "/home/alice/.config/scard/scard.conf, line 1" "sed -i '1s/^/#/' /home/alice/.config/scard/scard.conf"
    mend
    assert_green
}

@test "a configuration that is no file, and SCARD_CONFIG that names none" {
    mkfifo "$tree/fifo"
    mkdir -p "$tree/etc/scard"
    ln -s /fifo "$tree/etc/scard/scard.conf"
    examine
    assert_cause config 3 "it is no file" ""
    rm "$tree/etc/scard/scard.conf"
    SCARD_CONFIG=/nowhere/scard.conf examine
    assert_cause config 3 "SCARD_CONFIG names /nowhere/scard.conf" "unset SCARD_CONFIG"
}

@test "a device that is not authorized" {
    put sys/bus/usb/devices/1-1/authorized 0
    rm -r "$tree/sys/bus/usb/devices/1-1:1.0"
    examine
    assert_cause usb.ident 7 "Emu Reader at usb:1-1 is not authorized" "echo 1 | sudo tee /sys/bus/usb/devices/1-1/authorized"
    put etc/usbguard/usbguard-daemon.conf
    examine
    assert_cause usb.ident 7 "not authorized" "usbguard allow-device -p \"id 1209:cc1d\""
    rm -r "$tree/etc/usbguard"
    examine
    mend
    reader
    assert_green
}

@test "a reader without a class descriptor" {
    descriptors "$tree/sys/bus/usb/devices/1-1/descriptors" 0b 3 none
    examine
    assert_cause usb.desc 9 "its class descriptor is missing" "/sys/bus/usb/devices/1-1/authorized"
    descriptors "$tree/sys/bus/usb/devices/1-1/descriptors"
    assert_green
}

@test "no interrupt endpoint: said, and no fault" {
    descriptors "$tree/sys/bus/usb/devices/1-1/descriptors" 0b 2
    assert_green
    assert_output --partial "no interrupt endpoint, so cards are noticed by polling"
}

@test "firmware on the deny list" {
    reader 1-1 2 072f 2200 0205
    examine
    assert_cause usb.quirk 9 "has firmware 2.05 with a known fault; 2.06 or later is needed" "fwupdmgr update"
    mend
    assert_green
}

@test "a listed reader that may be suspended, and one that did not come back" {
    reader 1-1 2 0783 0003 0100
    put sys/bus/usb/devices/1-1/power/control auto
    examine
    assert_cause usb.power 1 "may be suspended when idle" "echo on | sudo tee /sys/bus/usb/devices/1-1/power/control"
    mend
    assert_green
    reader
    put sys/bus/usb/devices/1-1/power/control auto
    assert_green
    put sys/bus/usb/devices/1-1/power/runtime_status error
    examine
    assert_cause usb.power 1 "did not come back" "echo on"
    mend
    assert_green
}

@test "the kernel's NFC driver" {
    driver pn533_usb
    examine
    assert_cause nfc.kernel 6 "NFC driver pn533_usb has taken Emu Reader at usb:1-1" \
        "echo blacklist pn533_usb | sudo tee /etc/modprobe.d/scard-nfc.conf && sudo modprobe -r pn533_usb"
    mkdir -p "$tree/etc/modprobe.d"
    mend
    assert_green
    driver pn533_usb
    examine
    assert_cause nfc.kernel 6 "though it is blacklisted" "update-initramfs -u"
    mend
    assert_green
}

@test "another driver of the kernel; a name that is no name is not made a command" {
    driver usbhid
    examine
    assert_cause usb.driver 6 "driver usbhid has taken" "echo 1-1:1.0 | sudo tee /sys/bus/usb/drivers/usbhid/unbind"
    driver 'x;reboot'
    examine
    [[ $output != *reboot* ]]
    driver
    assert_green
}

@test "no rule for the reader" {
    rm "$tree/usr/lib/udev/rules.d/70-scard.rules"
    chmod 600 "$tree/dev/bus/usb/001/002"
    examine
    assert_cause usb.rules 7 "no rule of udev gives Emu Reader at usb:1-1 to alice" 'TAG+="uaccess"'
    [[ $fix == *'*:0b????:*'* ]]
    mend
    assert_green
}

@test "a reader with a class of its vendor" {
    descriptors "$tree/sys/bus/usb/devices/1-1/descriptors" ff
    put sys/bus/usb/devices/1-1:1.0/bInterfaceClass ff
    rm "$tree/usr/lib/udev/rules.d/70-scard.rules"
    chmod 600 "$tree/dev/bus/usb/001/002"
    examine
    assert_cause usb.rules 7 "a class of its vendor (FF)" 'ATTR{idVendor}=="1209", ATTR{idProduct}=="cc1d"'
    mend
    assert_green
}

@test "plugged in before the rule" {
    chmod 600 "$tree/dev/bus/usb/001/002"
    put run/udev/data/c189:1 I:1
    examine
    assert_cause usb.rules 7 "70-scard.rules was not applied to Emu Reader at usb:1-1" "sudo udevadm trigger"
    mend
    assert_green
}

@test "a rule that comes too late" {
    mv "$tree/usr/lib/udev/rules.d/70-scard.rules" "$tree/usr/lib/udev/rules.d/92-scard.rules"
    chmod 600 "$tree/dev/bus/usb/001/002"
    examine
    assert_cause usb.rules 7 "92-scard.rules tags readers too late" "sudo mv /usr/lib/udev/rules.d/92-scard.rules /etc/udev/rules.d/70-scard.rules"
    mend
    assert_green
}

@test "a rule for a group that there is not" {
    rm "$tree/usr/lib/udev/rules.d/70-scard.rules"
    put usr/lib/udev/rules.d/92-ccid.rules 'ATTRS{bInterfaceClass}=="0b", GROUP="cards", MODE="0660"'
    chmod 600 "$tree/dev/bus/usb/001/002"
    examine
    assert_cause usb.rules 7 "gives readers to the group cards, which does not exist" "sudo groupadd --system cards"
    put etc/group $'alice:x:65501:\ncards:x:64777:alice'
    chmod 666 "$tree/dev/bus/usb/001/002"
    assert_green
}

@test "a user who is not in the group of the rule" {
    local gid

    gid=$(stat -c %g "$tree/dev/bus/usb/001/002")
    rm "$tree/usr/lib/udev/rules.d/70-scard.rules"
    put usr/lib/udev/rules.d/69-ccid.rules 'ENV{ID_USB_INTERFACES}=="*:0b????:*", GROUP="cards", MODE="0660"'
    put etc/group $'alice:x:65501:\ncards:x:'"$gid:"
    chmod 660 "$tree/dev/bus/usb/001/002"
    examine
    assert_cause usb.node 7 "is for the group cards (" "sudo usermod -aG cards alice"
    mend
    assert_green
}

@test "a session that is not at the machine: the tag gives it nothing" {
    chmod 600 "$tree/dev/bus/usb/001/002"
    examine
    assert_cause usb.node 7 "this is no local session" "sudo usermod -aG scard alice"
    [[ $fix == *'GROUP="scard", MODE="0660"'* ]]
    mend
    assert_green
}

@test "no node" {
    rm "$tree/dev/bus/usb/001/002"
    examine
    assert_cause usb.node 7 "there is no /dev/bus/usb/001/002" "sudo udevadm trigger"
    put dev/bus/usb/001/002
    chmod 666 "$tree/dev/bus/usb/001/002"
    assert_green
}

@test "root may do all that" {
    chmod 600 "$tree/dev/bus/usb/001/002"
    run scard --json doctor --root "$tree" --user 0
    assert_success
    run scard doctor --root "$tree" --user nobody-of-that-name
    assert_failure 2
}

@test "held by scdaemon" {
    driver usbfs
    process 600 scdaemon 65501 /dev/bus/usb/001/002
    examine
    assert_cause hold.usb 6 "is held by scdaemon (pid 600)" "gpgconf --kill scdaemon"
    mend
    assert_green
}

@test "held by a session of scard connect" {
    driver usbfs
    process 600 scard 65501 /dev/bus/usb/001/002
    printf '%s\0' scard __session shell-24466-3413286 900000 >"$tree/proc/600/cmdline"
    assert_green
    assert_output --partial 'is held by the session shell-24466-3413286 (pid 600)'
    assert_output --partial 'scard release --session shell-24466-3413286'
    put proc/600/status $'Name:\tscard\nUid:\t65502\t65502\t65502\t65502'
    examine
    assert_cause hold.usb 6 "is held by scard (pid 600)" "kill 600"
    put proc/600/status $'Name:\tscard\nUid:\t65501\t65501\t65501\t65501'
    printf '%s\0' scard __session 'a;reboot' 900000 >"$tree/proc/600/cmdline"
    examine
    assert_cause hold.usb 6 "is held by scard (pid 600)" "kill 600"
}

@test "held by pcscd, which does not answer; by another program; by nobody who can be seen" {
    driver usbfs
    process 700 pcscd 0 /dev/bus/usb/001/002
    examine
    assert_cause hold.usb 6 "is held by pcscd (pid 700)" "sudo systemctl stop pcscd.socket pcscd.service"
    rm -r "$tree/proc/700"
    process 701 game 65501 /dev/bus/usb/001/002
    examine
    assert_cause hold.usb 6 "is held by game (pid 701)" "kill 701"
    mend
    assert_green
    driver usbfs
    examine
    assert_cause hold.usb 6 "only root can see" "sudo scard who"
}

@test "no daemon, though it is asked for" {
    put usr/lib/systemd/system/pcscd.socket
    export SCARD_SERVICE=pcscd
    put usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist
    examine
    assert_cause pcscd.socket 3 "there is no socket of pcscd at /run/pcscd/pcscd.comm" "sudo systemctl enable --now pcscd.socket"
    mkdir -p "$tree/etc/systemd/system"
    ln -s /dev/null "$tree/etc/systemd/system/pcscd.socket"
    examine
    assert_cause pcscd.socket 3 "there is no socket" "sudo systemctl unmask pcscd.socket"
    answering run/pcscd/pcscd.comm 4 6
    assert_green
}

@test "no daemon, and nobody asks for it: other programs may" {
    put usr/lib/systemd/system/pcscd.socket
    put usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist
    examine
    assert_cause pcscd.socket 1 "scard does without" "sudo systemctl enable --now pcscd.socket"
    answering run/pcscd/pcscd.comm 4 4
    assert_green
}

@test "no daemon, and none is missed: other readers are named, or scard serve has them" {
    put usr/lib/systemd/system/pcscd.socket
    put usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist
    SCARD_READERS=sim:iso examine
    assert_success
    answering run/user/65501/scard/scard.comm 4 6
    assert_green
}

@test "a stale socket" {
    stale run/pcscd/pcscd.comm
    put usr/lib/systemd/system/pcscd.socket
    put usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist
    SCARD_SERVICE=pcscd examine
    assert_cause pcscd.socket 3 "nobody listens at /run/pcscd/pcscd.comm" "sudo systemctl restart pcscd.socket"
    rm "$tree/usr/lib/systemd/system/pcscd.socket"
    SCARD_SERVICE=pcscd examine
    assert_cause pcscd.socket 3 "nobody listens" "sudo rm /run/pcscd/pcscd.comm"
    rm "$tree/run/pcscd/pcscd.comm"
    answering run/pcscd/pcscd.comm 4 4
    SCARD_SERVICE=pcscd assert_green
}

@test "PCSCLITE_CSOCK_NAME: a socket of the running system" {
    put usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist
    SCARD_SERVICE=pcscd PCSCLITE_CSOCK_NAME=$BATS_TEST_TMPDIR/none examine
    assert_cause pcscd.socket 3 "there is no socket of pcscd at $BATS_TEST_TMPDIR/none" ""
    answering run/s 4 6
    SCARD_SERVICE=pcscd PCSCLITE_CSOCK_NAME=$tree/run/s assert_green
}

@test "a service that nobody knows" {
    SCARD_SERVICE=winscard examine
    assert_cause lib.env 3 "SCARD_SERVICE is set to what no service is" "unset SCARD_SERVICE"
    assert_green
}

@test "another version of the protocol" {
    answering run/pcscd/pcscd.comm 5 0 8010001E
    put usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist
    SCARD_SERVICE=pcscd examine
    assert_cause pcscd.version 3 "speaks version 5:0, programs here 4:3 to 4:6" "sudo apt install pcscd"
    end_server
    rm "$tree/run/pcscd/pcscd.comm"
    answering run/pcscd/pcscd.comm 4 4
    SCARD_SERVICE=pcscd assert_green
}

@test "two services at once" {
    put usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist
    answering run/pcscd/pcscd.comm 4 6
    first=$server_pid
    answering run/user/65501/scard/scard.comm 4 6 2>/dev/null
    examine
    kill "$first"
    assert_cause service 1 "2 services run" "sudo systemctl disable --now pcscd.socket pcscd.service"
    rm "$tree/run/pcscd/pcscd.comm"
    assert_green
}

@test "polkit refuses a session from afar" {
    put usr/share/polkit-1/actions/org.debian.pcsc-lite.policy
    put usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist
    put run/systemd/sessions/3 $'UID=65501\nREMOTE=1\nACTIVE=1'
    answering run/pcscd/pcscd.comm 4 4 0 8010006A
    SCARD_SERVICE=pcscd examine
    assert_cause polkit.session 7 "pcscd refuses alice through polkit: the session is remote" "/etc/polkit-1/rules.d/45-scard-pcscd.rules"
    [[ $fix == *'s.user == "alice"'* && $fix == *org.debian.pcsc-lite.access_* ]]
    mkdir -p "$tree/etc/polkit-1/rules.d"
    mend
    end_server
    rm "$tree/run/pcscd/pcscd.comm"
    answering run/pcscd/pcscd.comm 4 4
    SCARD_SERVICE=pcscd assert_green
}

@test "polkit refuses, by its defaults, who has no session; and lets in who sits there" {
    put usr/share/polkit-1/actions/org.debian.pcsc-lite.policy
    put usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist
    mkdir -p "$tree/run/systemd/sessions"
    answering run/pcscd/pcscd.comm 4 4
    SCARD_SERVICE=pcscd examine
    assert_cause polkit.session 7 "the session is none that logind knows" "45-scard-pcscd.rules"
    put run/systemd/sessions/3 $'UID=65501\nREMOTE=0\nACTIVE=1'
    SCARD_SERVICE=pcscd assert_green
}

@test "pcscd has the readers and refuses: that is the cause, not the node" {
    put usr/share/polkit-1/actions/org.debian.pcsc-lite.policy
    put usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist
    chmod 600 "$tree/dev/bus/usb/001/002"
    driver usbfs
    answering run/pcscd/pcscd.comm 4 4 0 8010006A
    examine
    assert_cause polkit.session 7 "pcscd refuses alice" "45-scard-pcscd.rules"
}

@test "hidepid" {
    put proc/self/mountinfo '22 1 0:21 / /proc rw,nosuid shared:12 - proc proc rw,hidepid=invisible'
    put usr/share/polkit-1/actions/org.debian.pcsc-lite.policy
    put usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist
    put run/systemd/sessions/3 $'UID=65501\nREMOTE=0\nACTIVE=1'
    answering run/pcscd/pcscd.comm 4 4
    examine
    assert_cause proc.hidepid 1 "mounted with hidepid" "sudo mount -o remount,hidepid=0 /proc"
    fix=${fix/ \/proc/}
    mend
    assert_green
}

@test "SELinux forbids" {
    put sys/fs/selinux/enforce 1
    put var/log/audit/audit.log 'type=AVC msg=audit(1:2): avc:  denied  { read write } for  pid=7 comm="pcscd" name="002"'
    examine
    assert_cause selinux 7 "SELinux forbids pcscd" "audit2allow -M scard-local"
    mend
    assert_green
}

@test "a setting of pcscd that hides readers" {
    put usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist
    answering run/pcscd/pcscd.comm 4 4
    put etc/default/pcscd $'# nothing\nPCSCLITE_FILTER_IGNORE_READER_NAMES=Emu'
    examine
    assert_cause pcscd.unit 1 "/etc/default/pcscd sets PCSCLITE_FILTER_IGNORE_READER_NAMES" \
        "sudo sed -i /PCSCLITE_FILTER_IGNORE_READER_NAMES/d /etc/default/pcscd"
    sed -i /PCSCLITE_FILTER_IGNORE_READER_NAMES/d "$tree/etc/default/pcscd"
    assert_green
}

bundle() {
    put "usr/lib/pcsc/drivers/$1.bundle/Contents/Info.plist" "<plist><dict>
<key>CFBundleShortVersionString</key> <string>${2:-1.5.2}</string>
<key>ifdVendorID</key><array><string>0x08E6</string><string>0x1209</string></array>
<key>ifdProductID</key><array><string>0x3437</string><string>0xCC1D</string></array>
</dict></plist>"
}

@test "two drivers of pcscd for one reader, and none" {
    answering run/pcscd/pcscd.comm 4 4
    bundle ifd-ccid
    bundle ifd-vendor
    examine
    assert_cause pcscd.driver 1 "2 drivers of pcscd are for Emu Reader at usb:1-1" "sudo mv /usr/lib/pcsc/drivers/ifd-vendor.bundle"
    fix=${fix%% && *}
    mend
    assert_green
    assert_output --partial "ifd-ccid.bundle 1.5.2 is pcscd's driver for usb:1-1"
    rm -r "$tree/usr/lib/pcsc"
    examine
    assert_cause pcscd.driver 4 "pcscd has no driver" "sudo apt install libccid"
}

@test "commands of other distributions" {
    answering run/pcscd/pcscd.comm 4 4
    put usr/lib/systemd/system/pcscd.socket
    for line in "fedora:sudo dnf install pcsc-lite-ccid" "arch:sudo pacman -S ccid" "alpine:sudo apk add ccid"; do
        put etc/os-release $'NAME="x"\nID='"${line%%:*}"
        examine
        assert_cause pcscd.driver 4 "pcscd has no driver" "${line#*:}"
    done
    put etc/os-release $'ID="rocky"\nID_LIKE="rhel centos fedora"'
    examine
    assert_cause pcscd.driver 4 "pcscd has no driver" "sudo dnf install pcsc-lite-ccid"
}

@test "pcscd as a user who may not open the node" {
    bundle ifd-ccid
    answering run/pcscd/pcscd.comm 4 4
    process 700 pcscd 64991
    chmod 600 "$tree/dev/bus/usb/001/002"
    examine
    assert_cause pcscd.user 7 "pcscd runs as pcscd, which may not open /dev/bus/usb/001/002" "sudo apt install libccid && "
    mend
    assert_green
}

@test "a rule that hides the reader from pcscd" {
    bundle ifd-ccid
    answering run/pcscd/pcscd.comm 4 4
    put run/udev/data/c189:1 $'Q:uaccess\nE:PCSCLITE_IGNORE=1'
    put etc/udev/rules.d/80-ignore.rules 'ATTR{idVendor}=="1209", ENV{PCSCLITE_IGNORE}="1"'
    examine
    assert_cause usb.rules 4 "80-ignore.rules hides Emu Reader at usb:1-1 from pcscd" \
        "sudo sed -i /PCSCLITE_IGNORE/d /etc/udev/rules.d/80-ignore.rules"
    fix=${fix//\/PCSCLITE_IGNORE\//'"/PCSCLITE_IGNORE/"'}
    mend
    assert_green
}

@test "GnuPG beside pcscd: the lines that scdaemon.conf lacks" {
    bundle ifd-ccid
    answering run/pcscd/pcscd.comm 4 4
    put home/alice/.gnupg/scdaemon.conf '#disable-ccid'
    examine
    assert_cause gpg 1 "lacks the lines disable-ccid and pcsc-shared" "printf 'disable-ccid\\npcsc-shared\\n' >> "
    mend
    assert_green
    run tail -n 2 "$tree/home/alice/.gnupg/scdaemon.conf"
    assert_output $'disable-ccid\npcsc-shared'
    put home/alice/.gnupg/scdaemon.conf disable-ccid
    examine
    assert_cause gpg 1 "lacks the line pcsc-shared" "printf 'pcsc-shared\\n'"
    mend
    assert_green
}

@test "GnuPG is told to use pcscd, which there is not" {
    put home/alice/.gnupg/scdaemon.conf disable-ccid
    examine
    assert_cause gpg 1 "there is no pcscd" "sed -i /^disable-ccid/d"
    put home/alice/.gnupg/scdaemon.conf
    assert_green
}

@test "resets in the kernel's log" {
    put dev/kmsg "$(printf '6,1,1,-;usb 1-1: reset full-speed USB device number 2 using xhci_hcd\n%.0s' 1 2 3)"
    examine
    assert_cause log.kernel 1 "3 resets and errors of usb:1-1: try another port or cable" ""
    put dev/kmsg 'quiet'
    assert_green
}

@test "what is told on a terminal ends in the cause and the command" {
    driver pn533_usb
    run on_terminal doctor --root "$tree" --user alice
    assert_failure 6
    assert_line --partial "FAIL"
    assert_output --partial "Cause: the kernel's NFC driver pn533_usb has taken Emu Reader at usb:1-1."
    assert_line "Mend it with: echo blacklist pn533_usb | sudo tee /etc/modprobe.d/scard-nfc.conf && sudo modprobe -r pn533_usb"
}

@test "without a terminal: columns, and the cause in the last one" {
    driver pn533_usb
    run scard doctor --root "$tree" --user alice
    assert_failure 6
    assert_line --index 0 $'ok\tconfig\tno configuration file; none is needed'
    assert_line --regexp $'^cause\tnfc.kernel\tthe kernel\'s NFC driver .*\techo blacklist'
    run scard doctor --quiet --root "$tree" --user alice
    [ "${#lines[@]}" -eq 2 ]
}

@test "--fix: a script, in order, of which nothing is run" {
    driver pn533_usb
    put sys/bus/usb/devices/1-1/power/runtime_status error
    put sys/bus/usb/devices/1-1/power/control auto
    run scard doctor --fix --root "$tree" --user alice
    assert_failure 6
    assert_line --index 0 '#!/bin/sh'
    assert_output --regexp 'FAIL nfc.kernel.*modprobe -r pn533_usb.*warn usb.power.*echo on'
    [ "$(cat "$tree/sys/bus/usb/devices/1-1/power/control")" = auto ]
    sh -n <<<"$output"
}

@test "names of hostile devices, programs and files stay text" {
    printf 'Em\033[2Ju\nx' >"$tree/sys/bus/usb/devices/1-1/manufacturer"
    printf '\377\376; reboot $(id)\0`x`' >"$tree/sys/bus/usb/devices/1-1/product"
    process 701 'ev$(il);' 65501 /dev/bus/usb/001/002
    printf 'a\nb' >"$tree/proc/701/comm"
    driver usbfs
    examine
    assert_cause hold.usb 6 "held by a" "kill 701"
    run scard doctor --fix --root "$tree" --user alice
    refute_line --regexp '^[^#]*reboot'
    [[ $output != *$'\033'* ]]
}

@test "a tree without anything, garbage in each file, links out of it" {
    local empty=$BATS_TEST_TMPDIR/empty file

    mkdir "$empty"
    run scard doctor --root "$empty"
    assert_failure 4
    while IFS= read -r file; do
        head -c 3000 /dev/urandom >"$file"
    done < <(find "$tree" -type f)
    run scard --json doctor --root "$tree"
    [ "$status" -le 10 ]
    echo secret >"$BATS_TEST_TMPDIR/outside"
    ln -sf "$BATS_TEST_TMPDIR/outside" "$tree/sys/bus/usb/devices/1-1/product"
    run scard doctor --root "$tree"
    refute_output --partial secret
    run scard doctor --root /nowhere/at/all
    assert_failure 2
    run scard doctor --root "$tree" --probe
    assert_failure 2
}

@test "on this system: the library's readers, and the card with --probe" {
    export SCARD_READERS=sim:iso SCARD_SERVICE=local
    run scard --json doctor --probe
    assert_output --regexp '"id":"lib.readers","text":"scard sim:iso 00 00: card"'
    assert_output --regexp '"id":"card.power","text":"scard sim:iso 00 00: the card answers 3B[0-9A-F]+, T='
    export SCARD_READERS=sim:odd?mute=yes
    run scard --json doctor --probe
    assert_output --regexp '"level":"FAIL","id":"card.power"'
    [ "$status" -eq 9 ]
}

@test "on this system: a card that does not answer is a fault, also without --probe" {
    export SCARD_READERS=sim:odd?mute=yes SCARD_SERVICE=local
    run scard --json doctor
    assert_failure 9
    [ "$(jq -r 'select(.t == "diagnosis").id' <<<"$output")" = lib.readers ]
    assert_output --partial '"cause":"the card in scard sim:odd 00 00 does not answer'
}

@test "on this system: readers that cannot be" {
    SCARD_READERS=sim:nonsense SCARD_SERVICE=local run scard --json doctor
    assert_failure 2
    [ "$(jq -r 'select(.t == "diagnosis").fix' <<<"$output")" = "unset SCARD_READERS" ]
}

@test "on this system: the clients of a server" {
    local socket=$BATS_TEST_TMPDIR/scard/scard.comm client

    mkfifo "$BATS_TEST_TMPDIR/ready"
    SCARD_READERS=sim:iso "$SCARD_BIN" --json serve --socket "$socket" >"$BATS_TEST_TMPDIR/ready" 2>&1 3>&- &
    server_pid=$!
    read -r _ <"$BATS_TEST_TMPDIR/ready"
    coproc connection { exec perl -MIO::Socket::UNIX -e '
        my $socket = IO::Socket::UNIX->new($ARGV[0]) or die; $| = 1; print "ready\n"; sleep 600' "$socket" 3>&-; }
    client=$connection_PID
    read -r -u "${connection[0]}" _
    export SCARD_SERVICE=unix:$socket
    run scard --json doctor
    kill "$client"
    assert_output --partial "connected to $socket: perl (pid $client)"
    assert_output --partial '"id":"lib.readers","text":"scard sim:iso 00 00: card"'
    assert_output --partial "scard goes to the service at $socket"
}

@test "errors of other commands end with the likely cause" {
    export SCARD_SERVICE=pcscd PCSCLITE_CSOCK_NAME=$BATS_TEST_TMPDIR/none
    run scard list
    assert_failure 3
    assert_output --partial "Mend it with:"
    assert_output --partial '"scard doctor" tells more.'
    mkdir "$BATS_TEST_TMPDIR/s"
    tree=$BATS_TEST_TMPDIR answering s/pcscd 4 4 0 8010006A
    PCSCLITE_CSOCK_NAME=$BATS_TEST_TMPDIR/s/pcscd run scard list
    assert_failure 7
    assert_output --partial "Most likely: pcscd refuses $(id -un) through polkit: the session is "
    assert_output --partial "Mend it with: echo 'polkit.addRule("
    SCARD_SERVICE=unix:$BATS_TEST_TMPDIR/s/pcscd run scard list
    assert_failure 7
    assert_output --partial "refuses a context"
    unset PCSCLITE_CSOCK_NAME
    export SCARD_SERVICE=local XDG_CONFIG_HOME=$BATS_TEST_TMPDIR
    mkdir -p "$BATS_TEST_TMPDIR/scard"
    echo 'nonsense = 1;' >"$BATS_TEST_TMPDIR/scard/scard.conf"
    run scard list
    assert_failure 3
    assert_output --partial "line 1: unknown setting 'nonsense'"
}

@test "what is set wrong is the advice, wherever HOME is, and whatever else the machine lacks" {
    export HOME=$BATS_TEST_TMPDIR
    unset XDG_CONFIG_HOME
    SCARD_SERVICE=winscard run scard list
    assert_failure 3
    assert_line --index 0 "scard: cannot open a context: SCARD_SERVICE=winscard is not known; say auto, local, pcscd or unix:PATH."
    assert_line --index 1 "Mend it with: unset SCARD_SERVICE"
    mkdir -p "$HOME/.config/scard"
    echo 'nonsense = 1;' >"$HOME/.config/scard/scard.conf"
    SCARD_SERVICE=local run scard list
    assert_failure 3
    assert_line --index 1 "Mend it with: sed -i '1s/^/#/' $HOME/.config/scard/scard.conf"
    SCARD_SERVICE=local run scard --json doctor
    assert_failure 3
    [ "$(jq -r 'select(.t == "diagnosis").id' <<<"$output")" = config ]
}

@test "a reader of vpcd that a session of the same user has open is no fault, one that another program has is" {
    export SCARD_SERVICE=local SCARD_READERS=vpcd:0
    port=$(scard list --json | jq -r '.device | ltrimstr("vpcd:")')
    export SCARD_READERS=vpcd:$port
    scard establish --session work
    run scard --json doctor
    scard --session work release
    assert_equal "$(jq -r 'select(.t == "check" and .id == "lib.readers").level' <<<"$output")" ok
    assert_output --partial "is open in the session work (pid "
    coproc listener { exec perl -MIO::Socket::INET -e '
        my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1:$ARGV[0]", ReuseAddr => 1) or die;
        $| = 1; print "ready\n"; sleep 60' "$port" 3>&-; }
    server_pid=$listener_PID
    read -r -u "${listener[0]}" _
    run scard --json doctor
    assert_equal "$(jq -r 'select(.t == "check" and .id == "lib.readers").level' <<<"$output")" FAIL
}
