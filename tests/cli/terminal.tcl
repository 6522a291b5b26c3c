# SPDX-License-Identifier: MIT
#
# For tests that type at a terminal: sourced by expect. Everything waits for output, nothing for time.
set timeout 30
# Programs under the sanitizers, many at once: what is waited for comes, only not at once.
match_max 100000

proc fail {what} {
    send_user "\nFAILED: $what\n"
    exit 1
}

# Starts "scard ARGUMENTS"; env TERM decides on the kind of terminal.
proc scard {args} {
    global env spawn_id spawn_out
    set stty_init "rows 24 columns 120"
    spawn -noecho $env(SCARD_BIN) {*}$args
}

# Waits until the output matches.
proc see {pattern} {
    global expect_out
    expect {
        -re $pattern {}
        timeout {fail "this did not come: $pattern"}
        eof {fail "scard ended before this: $pattern"}
    }
}

# Fails if the first pattern comes before the second.
proc see_without {bad pattern} {
    expect {
        -re $bad {fail "this came: $bad"}
        -re $pattern {}
        timeout {fail "this did not come: $pattern"}
        eof {fail "scard ended before this: $pattern"}
    }
}

# Waits for the end and checks the exit status.
proc ended {status} {
    expect {
        eof {}
        timeout {fail "scard did not end"}
    }
    set result [wait]
    if {[lindex $result 3] != $status} {
        fail "ended with [lrange $result 2 end] in place of $status"
    }
}
