# SPDX-License-Identifier: MIT
#
# What the lints share. Each takes the root of a source tree, prints one line per finding and fails if there is any.

findings=0

# finding PLACE TEXT…
finding() {
    printf '%s: %s\n' "$1" "${*:2}"
    findings=$((findings + 1))
}

# Ends the lint: ok with the number of things looked at (none at all is a fault of the lint's input).
finish() {
    local looked=$1 what=$2

    if [ "$looked" -eq 0 ]; then
        echo "nothing to look at: is the root of the sources right?" >&2
        exit 2
    fi
    echo "$looked $what, $findings findings"
    [ "$findings" -eq 0 ]
}
