/* SPDX-License-Identifier: MIT */
/* Families of commands: how their children are found, run, told about, suggested and completed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rc.h"
#include "cli/complete.h"
#include "cli/dispatch.h"

static const struct command *ran;
static int dumpable; /* while it ran */
static char given[32];

static int run_child(struct call *call)
{
    const char *argument = call_argument(call, 0);
    const char *option = call->command->options != NULL ? call_option(call, "mode") : NULL;

    ran = call->command;
    dumpable = prctl(PR_GET_DUMPABLE);
    snprintf(given, sizeof given, "%s %s", argument != NULL ? argument : "-", option != NULL ? option : "-");
    return STATUS_DONE;
}

static const struct option_spec options[] = {
    {"mode", 'm', VALUE_CHOICE, "MODE", "soft|hard", "how"},
    {0},
};

static const struct argument_spec arguments[] = {
    {"NAME", VALUE_TEXT, NULL, true, false, "which"},
    {0},
};

static const struct command list = {
    .name = "door list", .alias = "ls", .summary = "show doors", .run = run_child};
static const struct command open_door = {
    .name = "door open",
    .summary = "open one",
    .arguments = arguments,
    .options = options,
    .run = run_child,
};
static const struct command *const children[] = {&list, &open_door, NULL};
static const struct command door = {
    .name = "door", .group = "House", .summary = "doors", .children = children};
static const struct command safe_open = {
    .name = "safe open", .summary = "open it", .flags = COMMAND_SECRET, .run = run_child};
static const struct command *const safe_children[] = {&safe_open, NULL};
static const struct command safe = {.name = "safe",
                                    .group = "House",
                                    .summary = "the safe",
                                    .flags = COMMAND_SECRET,
                                    .children = safe_children};
static const struct command other = {.name = "other", .group = "House", .summary = "more", .run = run_child};

/* One line through dispatch; its output and errors into text. */
static int run_line(const char *line, char *text, size_t room)
{
    static const struct command *const commands[] = {&door, &safe, &other, NULL};
    int file = memfd_create("output", MFD_CLOEXEC), count, status;
    struct output output;
    struct front front;
    struct desk desk;
    char **words;
    ssize_t n;

    assert_true(file >= 0);
    ran = NULL;
    output_init(&output, file, file, NULL, NULL);
    output.program = "scard";
    desk_init(&desk, NULL);
    front_init(&front, FRONT_ONE_SHOT, commands, &desk, &output, NULL);
    assert_int_equal(dispatch_split(line, &words, &count), RC_OK);
    status = dispatch(&front, count, (const char *const *)words);
    free(words);
    desk_fini(&desk);
    n = pread(file, text, room - 1, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    close(file);
    return status;
}

static void children_run_with_what_is_theirs(void **state)
{
    char text[1500];

    (void)state;
    assert_int_equal(run_line("door list", text, sizeof text), STATUS_DONE);
    assert_ptr_equal(ran, &list);
    assert_int_equal(run_line("-q door ls", text, sizeof text), STATUS_DONE);
    assert_ptr_equal(ran, &list);
    assert_int_equal(run_line("door --quiet open -m hard front", text, sizeof text), STATUS_DONE);
    assert_ptr_equal(ran, &open_door);
    assert_string_equal(given, "front hard");
    assert_int_equal(run_line("other", text, sizeof text), STATUS_DONE);
    assert_ptr_equal(ran, &other);
    /* An option of a child stands behind it; a child is no argument of another. */
    assert_int_equal(run_line("door -m hard open", text, sizeof text), STATUS_USAGE);
    assert_int_equal(run_line("door list open", text, sizeof text), STATUS_USAGE);
    assert_int_equal(run_line("list", text, sizeof text), STATUS_USAGE);
    assert_null(ran);
}

static void a_family_alone_shows_its_usage(void **state)
{
    char text[1500], same[1500];

    (void)state;
    assert_int_equal(run_line("door", text, sizeof text), STATUS_USAGE);
    assert_non_null(
        strstr(text, "Usage: scard door list\n       scard door open [OPTIONS] [NAME]\n\nDoors.\n"));
    assert_non_null(strstr(text, "\nCommands\n  list        show doors\n  open        open one\n"));
    assert_int_equal(run_line("door --help", same, sizeof same), STATUS_DONE);
    assert_string_equal(text, same);
    assert_int_equal(run_line("door open --help", text, sizeof text), STATUS_DONE);
    assert_non_null(strstr(text, "Usage: scard door open [OPTIONS] [NAME]\n\nOpen one.\n"));
    assert_int_equal(run_line("--json door --help", text, sizeof text), STATUS_DONE);
    assert_non_null(strstr(text, "\"name\":\"door\""));
    assert_non_null(strstr(text, "\"name\":\"door open\""));
    assert_null(strstr(text, "\"name\":\"other\""));
    assert_null(ran);
}

static void mistyped_children_are_suggested(void **state)
{
    char text[1500];

    (void)state;
    assert_int_equal(run_line("door opne", text, sizeof text), STATUS_USAGE);
    assert_non_null(strstr(text, "there is no command \"door opne\": did you mean \"door open\"?"));
    assert_int_equal(run_line("door frobnicate", text, sizeof text), STATUS_USAGE);
    assert_non_null(strstr(text, "\"door frobnicate\""));
    assert_non_null(strstr(text, "scard help door"));
    assert_int_equal(run_line("door open a b", text, sizeof text), STATUS_USAGE);
    assert_non_null(strstr(text, "door open does not take \"b\""));
}

static void what_may_be_a_secret_is_not_repeated(void **state)
{
    static const char *const lines[] = {
        "safe 73914682",          "safe open 73914682", "safe open --pin=73914682", "safe open -p73914682",
        "safe open --x=73914682", "door 73914682",      "safe open -q 73914682",    "safe swordfish"};
    char text[1500];

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_int_equal(run_line(lines[i], text, sizeof text), STATUS_USAGE);
        assert_true(strlen(text) > 20);
        assert_null(strstr(text, "73914682"));
        assert_null(strstr(text, "swordfish"));
    }
}

static void while_a_secret_may_be_held_there_is_no_dump(void **state)
{
    char text[1500];

    (void)state;
    assert_int_equal(prctl(PR_SET_DUMPABLE, 1), 0);
    assert_int_equal(run_line("door list", text, sizeof text), STATUS_DONE);
    assert_int_equal(dumpable, 1);
    assert_int_equal(run_line("safe open", text, sizeof text), STATUS_DONE);
    assert_int_equal(dumpable, 0);
    assert_int_equal(prctl(PR_GET_DUMPABLE), 1);
}

static void collect(void *user, const char *candidate, const char *about)
{
    (void)about;
    strcat(user, candidate);
    strcat(user, " ");
}

static void expect_candidates(int count, const char *const *words, const char *prefix, const char *wanted)
{
    static const struct argument_spec help_arguments[] = {
        {"COMMAND", VALUE_COMMAND, NULL, true, true, "which"},
        {0},
    };
    static const struct command help = {.name = "help", .arguments = help_arguments, .run = run_child};
    static const struct command *const commands[] = {&door, &help, NULL};
    char text[256] = "";
    struct front front;

    front_init(&front, FRONT_ONE_SHOT, commands, NULL, NULL, NULL);
    complete_word(&front, count, words, prefix, collect, text);
    assert_string_equal(text, wanted);
}

static void children_are_completed(void **state)
{
    (void)state;
    expect_candidates(0, NULL, "", "door help ");
    expect_candidates(1, (const char *[]){"door"}, "", "list open ");
    expect_candidates(1, (const char *[]){"door"}, "o", "open ");
    expect_candidates(2, (const char *[]){"door", "open"}, "--mo", "--mode ");
    expect_candidates(3, (const char *[]){"door", "open", "--mode"}, "", "soft hard ");
    expect_candidates(2, (const char *[]){"door", "nothing"}, "", "");
    expect_candidates(1, (const char *[]){"help"}, "", "door help ");
    expect_candidates(2, (const char *[]){"help", "door"}, "l", "list ");
    expect_candidates(2, (const char *[]){"help", "help"}, "", "");
    expect_candidates(3, (const char *[]){"help", "door", "list"}, "", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_run_with_what_is_theirs),
        cmocka_unit_test(a_family_alone_shows_its_usage),
        cmocka_unit_test(mistyped_children_are_suggested),
        cmocka_unit_test(what_may_be_a_secret_is_not_repeated),
        cmocka_unit_test(while_a_secret_may_be_held_there_is_no_dump),
        cmocka_unit_test(children_are_completed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
