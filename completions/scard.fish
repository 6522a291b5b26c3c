# SPDX-License-Identifier: MIT
#
# fish completion for scard. It asks the program: "scard __complete -- WORDS…" prints one candidate a line, and a few
# words about it behind a tab; ":files" stands for names of files.

function __scard_complete
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    set -l current (commandline -ct | string unescape)
    # A quote that is still open cannot be resolved: without it.
    test -n "$current"; or set current (commandline -ct | string trim --left --chars '"\'')
    set -l lines ($program __complete -- $words "$current" 2>/dev/null)
    if not string match -q -- ':files*' $lines[1]
        printf '%s\n' $lines
    else if string match -q -- '*@*' "$current"
        set -l before (string replace -r -- '@.*' '@' "$current")
        printf '%s\n' $before(__fish_complete_path (string replace -r -- '^[^@]*@' '' "$current"))
    else
        __fish_complete_path "$current"
    end
end

complete -c scard -f -a '(__scard_complete)'
