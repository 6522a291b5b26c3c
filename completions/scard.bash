# SPDX-License-Identifier: MIT
#
# bash completion for scard. It asks the program: "scard __complete -- WORDS…" prints one candidate a line, and a few
# words about it behind a tab; ":files" stands for names of files.

# The value of a word as it was typed, into REPLY; the quote that is still open into _scard_quote.
_scard_unquote() {
    local text=$1 i char quote=

    REPLY=
    for ((i = 0; i < ${#text}; i++)); do
        char=${text:i:1}
        if [[ $quote && $char == "$quote" ]]; then
            quote=
        elif [[ ! $quote && $char == [\'\"] ]]; then
            quote=$char
        elif [[ $char == \\ && $quote != \' ]]; then
            ((++i))
            REPLY+=${text:i:1}
        else
            REPLY+=$char
        fi
    done
    _scard_quote=$quote
}

# The words up to the cursor into typed: bash also breaks them at '=' and ':'. What stands before the piece that bash
# is going to replace, into head.
_scard_words() {
    local rest=$COMP_LINE i piece

    typed=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        piece=${COMP_WORDS[i]}
        if [[ $i -eq 0 || $rest == [[:blank:]]* || ! $rest ]]; then
            typed+=("")
        fi
        rest=${rest#"${rest%%[![:blank:]]*}"}
        rest=${rest#"$piece"}
        head=${typed[-1]}
        typed[-1]+=$piece
    done
    if [[ $piece == [=:]* ]]; then
        head=${typed[-1]}
    fi
}

_scard_files() {
    local from=$1 file

    compopt -o filenames 2>/dev/null
    while IFS= read -r file; do
        COMPREPLY+=("$file")
    done < <(compgen -f -- "$from")
}

_scard() {
    local typed=() head _scard_quote= program=$1 plain=() word line candidate prefix

    COMPREPLY=()
    _scard_words
    for word in "${typed[@]:1}"; do
        _scard_unquote "$word"
        plain+=("$REPLY")
    done
    prefix=$REPLY
    if [[ $_scard_quote ]]; then
        head=
    fi
    local quote=$_scard_quote
    _scard_unquote "$head"
    head=$REPLY
    [[ $program == \~/* ]] && program=$HOME/${program#\~/}
    while IFS= read -r line; do
        candidate=${line%%$'\t'*}
        if [[ $candidate == :files ]]; then
            if [[ $prefix == *@* ]]; then
                # The name behind '@' is only a part of the word, so the whole of it is made here.
                while IFS= read -r candidate; do
                    candidate=${prefix%%@*}@$candidate
                    _scard_add "${candidate:${#head}}" "$quote"
                done < <(compgen -f -- "${prefix#*@}")
            else
                _scard_files "${prefix:${#head}}"
            fi
            return
        fi
        [[ $candidate == *[=:] ]] && compopt -o nospace 2>/dev/null
        _scard_add "${candidate:${#head}}" "$quote"
    done < <("$program" __complete -- "${plain[@]}" 2>/dev/null)
}

_scard_add() {
    local text=$1

    case $2 in
    \") text=${text//\\/\\\\} text=${text//\"/\\\"} text=${text//\$/\\\$} text=${text//\`/\\\`} ;;
    \') text=${text//\'/\'\\\'\'} ;;
    *) printf -v text %q "$text" ;;
    esac
    COMPREPLY+=("$text")
}

complete -F _scard scard
