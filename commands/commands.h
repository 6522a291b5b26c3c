/* SPDX-License-Identifier: MIT */
/* The table of all commands: one declaration and one line in COMMANDS for each. Only main.c uses COMMANDS. */
#ifndef COMMANDS_COMMANDS_H
#define COMMANDS_COMMANDS_H

#include "cli/command.h"

extern const struct command command_apdu, command_atr, command_attrib, command_audit, command_begin,
    command_cache, command_cancel, command_card, command_count, command_group, command_locate, command_reader,
    command_complete, command_bench, command_connect, command_control, command_decode, command_diff,
    command_doctor, command_disconnect, command_end, command_establish, command_exec, command_groups,
    command_help, command_info, command_list, command_pin, command_record, command_reconnect, command_release,
    command_reset, command_run, command_select, command_serve, command_sessions, command_shell,
    command_status, command_valid, command_version, command_wait, command_watch, command_who;

/* In the order of the help text. */
#define COMMANDS                                                                                             \
    &command_list, &command_info, &command_groups, &command_watch, &command_wait, &command_locate,           \
        &command_doctor, &command_who, &command_serve, &command_attrib, &command_control, &command_count,    \
        &command_connect, &command_status, &command_apdu, &command_select, &command_begin, &command_end,     \
        &command_reset, &command_pin, &command_audit, &command_atr, &command_decode, &command_reconnect,     \
        &command_disconnect, &command_card, &command_reader, &command_group, &command_cache,                 \
        &command_establish, &command_valid, &command_cancel, &command_release, &command_sessions,            \
        &command_shell, &command_run, &command_exec, &command_record, &command_diff, &command_bench,         \
        &command_help, &command_version, &command_complete

#endif
