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
    global expect_out seen
    expect {
        -re $pattern {append seen $expect_out(buffer)}
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

# The rows that a terminal shows after all that see has taken: what each escape sequence of readline's does. Blanks at
# the ends of rows do not count.
set seen {}
proc screen {columns} {
    global seen
    set rows [list {}]
    set row 0
    set column 0
    set rest $seen
    while {$rest ne {}} {
        if {[regexp {^\e\[([?0-9;]*)([A-Za-z@])} $rest all numbers letter]} {
            set rest [string range $rest [string length $all] end]
            set count [expr {[regexp {^[1-9][0-9]*$} $numbers] ? $numbers : 1}]
            set text [lindex $rows $row]
            switch -- $letter {
                A {set row [expr {max(0, $row - $count)}]}
                C {incr column $count}
                D {set column [expr {max(0, $column - $count)}]}
                K {lset rows $row [string range $text 0 $column-1]}
                J {
                    lset rows $row [string range $text 0 $column-1]
                    set rows [lrange $rows 0 $row]
                }
                P {lset rows $row [string replace $text $column [expr {$column + $count - 1}]]}
                @ {
                    set text [format %-*s $column $text]
                    set head [string range $text 0 $column-1]
                    lset rows $row $head[string repeat { } $count][string range $text $column end]
                }
                h - l - m {}
                default {fail "a sequence that nobody knows: $numbers$letter"}
            }
            continue
        }
        set character [string index $rest 0]
        set rest [string range $rest 1 end]
        switch -- $character {
            "\r" {set column 0}
            "\b" {set column [expr {max(0, $column - 1)}]}
            "\007" {}
            "\n" {incr row}
            default {
                if {$column >= $columns} {
                    incr row
                    set column 0
                }
                while {[llength $rows] <= $row} {lappend rows {}}
                set text [format %-*s [expr {$column + 1}] [lindex $rows $row]]
                lset rows $row [string replace $text $column $column $character]
                incr column
                # Two columns wide: the second one holds nothing.
                if {[scan $character %c] >= 0x2e80} {
                    lset rows $row [string replace [format %-*s [expr {$column + 1}] [lindex $rows $row]] \
                        $column $column \u200b]
                    incr column
                }
            }
        }
        while {[llength $rows] <= $row} {lappend rows {}}
    }
    return [lmap text $rows {string map [list \u200b {}] [string trimright $text]}]
}

# The last rows of the screen must be these.
proc shows {columns args} {
    set rows [lrange [screen $columns] end-[expr {[llength $args] - 1}] end]
    if {$rows ne $args} {
        fail "the screen shows [list $rows] in place of [list $args]"
    }
}
