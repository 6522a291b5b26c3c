#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
load helper

guid={01234567-89AB-CDEF-0123-456789ABCDEF}

@test "a card type is introduced from the card, found by its ATR, and forgotten" {
    run scard card introduce "Staff badge" --from-card --interface "$guid"
    assert_success
    assert_output ""
    run scard card list --from-card
    assert_line --partial "Staff badge"
    run scard card list --interface "$guid"
    assert_line --partial "Staff badge"
    run scard card list --interface 11111111-1111-1111-1111-111111111111
    assert_success
    assert_output ""
    run scard card interfaces "Staff badge"
    assert_output "$guid"
    run scard card introduce "Staff badge" --from-card
    assert_failure 2
    run scard card forget "Staff badge"
    assert_success
    run scard card forget "Staff badge"
    assert_failure 1
    assert_output --partial '"scard card list" lists those that are, "scard card introduce" adds one.'
    refute_output --partial SCardIntroduceCardType
}

@test "a mask: what does not count may differ" {
    atr=$(scard atr --json | sed -n 's/.*"t":"atr".*"atr":"\([0-9A-F]*\)".*/\1/p')
    mask=FF$(printf '%*s' $((${#atr} - 2)) '' | tr ' ' 0)
    run scard card introduce Any --atr "$atr" --mask "$mask"
    assert_success
    run scard card list --from-card
    assert_line --partial Any
    run scard card introduce Bad --atr "$atr" --mask FF
    assert_failure 2
    assert_output --partial "the mask has 1 bytes"
}

@test "providers are shown and set" {
    scard card introduce Badge --from-card --primary "$guid"
    run scard card provider Badge
    assert_output $'primary\t'"$guid"
    run scard card provider Badge module /usr/lib/some.so
    assert_success
    run scard card provider Badge module
    assert_output $'module\t/usr/lib/some.so'
    run scard card provider Badge csp
    assert_failure 1
    run scard card provider Nobody
    assert_failure 1
    run scard card provider Badge primary nonsense
    assert_failure
}

@test "list and atr name the card" {
    scard card introduce "Staff badge" --from-card
    run scard --json list
    assert_output --partial '"Staff badge"'
    run scard --json atr
    assert_output --partial '"Staff badge"'
}

@test "a database that cannot be written: no talk of cables" {
    touch "$XDG_CONFIG_HOME/file"
    XDG_CONFIG_HOME=$XDG_CONFIG_HOME/file run scard card introduce X --from-card
    assert_failure 9
    assert_output "scard: cannot introduce card type \"X\": $XDG_CONFIG_HOME/file/scard cannot be written: Not a directory; nothing was changed."
}

@test "what makes no sense: status 2" {
    run scard card introduce X
    assert_failure 2
    run scard card introduce X --from-card --interface xyz
    assert_failure 2
    assert_output --partial "is no GUID"
}
