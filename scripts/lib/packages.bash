# SPDX-License-Identifier: MIT
#
# Debian packages that the scripts need. Sourced.

# To build the library, the program and the man pages.
build_packages=(gcc libc6-dev cmake ninja-build pkg-config libconfig-dev libjansson-dev libreadline-dev
    libusb-1.0-0-dev scdoc)

# To run the tests: cards and programs that nobody here wrote, shells to complete in, terminals to type at.
test_packages=(binutils bats bats-assert bats-support clang expect file fish gpg-agent gpgconf jq libcacard-dev
    libccid libclang-rt-14-dev libcmocka-dev libnss3-tools libpcsclite-dev opensc openssl pcsc-tools pcscd
    perl python3 python3-pyscard scdaemon tshark zsh)

packages_missing() {
    local name

    for name in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
    done
}

# packages_install NAME…: installs what is missing; with all of it there, neither network nor root is needed.
packages_install() {
    local missing root=() log

    if ! command -v dpkg-query >/dev/null; then
        echo "This is no Debian: install what stands for these packages, then build by hand (README.md):" >&2
        echo "  $*" >&2
        return 1
    fi
    mapfile -t missing < <(packages_missing "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "These packages are missing: ${missing[*]}" >&2
            echo "Run this script as root, or install sudo or the packages." >&2
            return 1
        fi
        root=(sudo)
    fi
    echo "Installing ${missing[*]} …"
    log=$(mktemp)
    if ! { "${root[@]}" apt-get update -qq &&
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            "${missing[@]}"; } </dev/null >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        rm -f "$log"
        echo "apt-get could not install ${missing[*]}: see its words above." >&2
        return 1
    fi
    rm -f "$log"
}
