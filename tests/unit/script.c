/* SPDX-License-Identifier: MIT */
/* cli: lines of scripts, typed lines, what a history keeps, what the prompt shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rc.h"
#include "cli/history.h"
#include "cli/script_line.h"
#include "cli/shell_prompt.h"
#include "cli/typed.h"

static enum script_step take(struct script_lines *lines, const char *line)
{
    enum script_step step = SCRIPT_NOTHING;

    assert_int_equal(script_lines_take(lines, line, strlen(line), &step), RC_OK);
    return step;
}

static void own_scripts_know_comments_and_joined_lines(void **state)
{
    struct script_lines lines = {0};

    (void)state;
    assert_int_equal(take(&lines, "# exit"), SCRIPT_NOTHING);
    assert_int_equal(take(&lines, "   \t"), SCRIPT_NOTHING);
    assert_int_equal(take(&lines, "  status \r"), SCRIPT_LINE);
    assert_string_equal(lines.text.data, "status");
    assert_int_equal(lines.first, 3);
    assert_int_equal(take(&lines, "00A4 \\"), SCRIPT_NOTHING);
    assert_int_equal(take(&lines, "   0400\\"), SCRIPT_NOTHING);
    assert_int_equal(take(&lines, " 00"), SCRIPT_LINE);
    assert_string_equal(lines.text.data, "00A4 0400 00");
    assert_int_equal(lines.first, 4);
    assert_int_equal(lines.line, 6);
    /* "reset" and "exit" are commands like others. */
    assert_int_equal(take(&lines, "reset"), SCRIPT_LINE);
    script_lines_fini(&lines);
}

static void a_last_line_that_goes_on_is_not_lost(void **state)
{
    struct script_lines lines = {0};
    enum script_step step;

    (void)state;
    assert_int_equal(take(&lines, "status \\"), SCRIPT_NOTHING);
    assert_int_equal(script_lines_end(&lines, &step), RC_OK);
    assert_int_equal(step, SCRIPT_LINE);
    assert_string_equal(lines.text.data, "status");
    assert_int_equal(script_lines_end(&lines, &step), RC_OK);
    assert_int_equal(step, SCRIPT_NOTHING);
    script_lines_fini(&lines);
}

static void scriptor_files_are_read_in_its_order(void **state)
{
    struct script_lines lines = {.scriptor = true};

    (void)state;
    assert_int_equal(take(&lines, "# a ReSet is none in a comment"), SCRIPT_NOTHING);
    assert_int_equal(take(&lines, "please RESET it"), SCRIPT_RESET);
    assert_int_equal(take(&lines, "00 A4 00 0C \\"), SCRIPT_NOTHING);
    assert_int_equal(take(&lines, "# between"), SCRIPT_NOTHING);
    assert_int_equal(take(&lines, ""), SCRIPT_NOTHING);
    assert_int_equal(take(&lines, "02 3F 00"), SCRIPT_LINE);
    assert_string_equal(lines.text.data, "00 A4 00 0C 02 3F 00");
    assert_int_equal(lines.first, 3);
    assert_int_equal(take(&lines, "#nothing to EXIT from"), SCRIPT_EXIT);
    script_lines_fini(&lines);
}

static void a_script_with_nul_bytes_is_refused(void **state)
{
    struct script_lines lines = {0};
    enum script_step step;

    (void)state;
    assert_int_equal(script_lines_take(&lines, "00A4\0x", 6, &step), RC_INVALID_VALUE);
    script_lines_fini(&lines);
}

static void a_command_name_comes_before_an_apdu(void **state)
{
    static const struct command ad = {.name = "ad", .alias = "be"};
    static const struct command *const commands[] = {&ad, NULL};

    (void)state;
    assert_false(typed_is_apdu(commands, "ad 00"));
    assert_false(typed_is_apdu(commands, " be"));
    assert_true(typed_is_apdu(commands, "ad00"));
    assert_true(typed_is_apdu(commands, " 00 A4 04 00"));
    assert_false(typed_is_apdu(commands, "status"));
}

static void a_comment_ends_an_apdu_line_but_not_in_quotes(void **state)
{
    (void)state;
    assert_int_equal(typed_apdu_length("00A4 \t# select"), 4);
    assert_int_equal(typed_apdu_length("00A4:\" # \"  "), 10);
    assert_int_equal(typed_apdu_length("00A4:@a#b"), 9);
    assert_int_equal(typed_apdu_length(""), 0);
}

static void stored_as(const char *line, const char *expected)
{
    char *kept = history_storable(line);

    if (expected == NULL) {
        assert_null(kept);
    } else {
        assert_non_null(kept);
        assert_string_equal(kept, expected);
    }
    free(kept);
}

static void a_history_keeps_no_secrets(void **state)
{
    (void)state;
    stored_as("status", "status");
    stored_as(" status", NULL);
    stored_as("", NULL);
    stored_as("two\nlines", NULL);
    stored_as("verify --pin 1234", NULL);
    stored_as("verify --pin=1234", NULL);
    stored_as("'00200081' 04 31323334", NULL);
    stored_as("\\00\\20 0081 04 31323334", NULL);
    stored_as("echo 'two words'", "echo 'two words'");
    stored_as("apdu --pin-file f 200001:{pin}", "apdu --pin-file f 200001:{pin}");
    stored_as("0020000104", "0020000104");
    for (size_t i = 0; i < 3; i++) {
        static const char *const lines[] = {"002000010431323334", "apdu 00 20 00 01 04 31 32 33 34",
                                            "apdu 200001:31323334"};
        stored_as(lines[i], NULL);
    }
}

struct place {
    char folder[64], path[96];
};

static void place_make(struct place *place)
{
    strcpy(place->folder, "history-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof place->path, "%s/scard/history", place->folder);
}

static void place_remove(struct place *place)
{
    char scard[96];

    snprintf(scard, sizeof scard, "%s/scard", place->folder);
    assert_int_equal(unlink(place->path), 0);
    assert_int_equal(rmdir(scard), 0); /* nothing else was left there */
    assert_int_equal(rmdir(place->folder), 0);
}

static size_t count_lines(const char *path, struct buffer *text)
{
    size_t count = 0;

    assert_int_equal(history_load(path, text), RC_OK);
    for (size_t i = 0; i < text->length; i++)
        count += text->data[i] == '\n';
    return count;
}

static void a_history_file_is_private_and_stays_short(void **state)
{
    struct buffer text = {0};
    struct place place;
    struct stat about;
    FILE *file;

    (void)state;
    place_make(&place);
    assert_int_equal(history_load(place.path, &text), RC_OK); /* none yet */
    assert_int_equal(text.length, 0);
    assert_int_equal(history_append(place.path, "first"), RC_OK);
    assert_int_equal(stat(place.path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    file = fopen(place.path, "a");
    for (unsigned i = 1; i < HISTORY_LINES; i++)
        fprintf(file, "line %u\n", i);
    fputs("cut off", file);
    fclose(file);
    assert_int_equal(chmod(place.path, 0644), 0);
    assert_int_equal(history_append(place.path, "last"), RC_OK);
    assert_true(count_lines(place.path, &text) <= HISTORY_LINES);
    assert_int_equal(text.length > 13 ? memcmp(text.data + text.length - 13, "cut off\nlast\n", 13) : 1, 0);
    assert_int_equal(stat(place.path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    buffer_fini(&text);
    place_remove(&place);
}

/* Several shells at once, one of them over the limit again and again: no line of any is lost or mixed. */
static void shells_that_append_at_once_lose_nothing(void **state)
{
    enum { SHELLS = 4, EACH = 60 };
    struct buffer text = {0};
    struct place place;
    FILE *file;

    (void)state;
    place_make(&place);
    assert_int_equal(history_append(place.path, "first"), RC_OK);
    file = fopen(place.path, "a");
    for (unsigned i = 0; i < HISTORY_LINES - EACH; i++)
        fputs("old\n", file);
    fclose(file);
    for (int shell = 0; shell < SHELLS; shell++) {
        if (fork() == 0) {
            for (int i = 0; i < EACH; i++) {
                char line[64];

                snprintf(line, sizeof line, "shell %d line %d", shell, i);
                if (history_append(place.path, line) < 0)
                    _exit(1);
            }
            _exit(0);
        }
    }
    for (int shell = 0; shell < SHELLS; shell++) {
        int status;

        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_true(count_lines(place.path, &text) <= HISTORY_LINES);
    assert_int_equal(buffer_append(&text, "", 1), RC_OK);
    for (int shell = 0; shell < SHELLS; shell++)
        for (int i = 0; i < EACH; i++) {
            char line[64];

            snprintf(line, sizeof line, "\nshell %d line %d\n", shell, i);
            assert_non_null(strstr((const char *)text.data, line));
        }
    buffer_fini(&text);
    place_remove(&place);
}

static void prompts_with(const struct desk *desk, enum card_state state, const char *expected)
{
    char *prompt = shell_prompt(desk, state);

    assert_non_null(prompt);
    assert_string_equal(prompt, expected);
    free(prompt);
}

static void the_prompt_tells_the_state_of_the_card(void **state)
{
    char name[] = "ACME\033[2J 00";
    struct desk desk = {.card = 1, .reader = name, .protocol = SCARD_PROTOCOL_T0};

    (void)state;
    /* What a reader calls itself does not steer the terminal. */
    prompts_with(&desk, CARD_READY, "ACME?[2J 00 [card T=0]> ");
    prompts_with(&desk, CARD_ABSENT, "ACME?[2J 00 [-]> ");
    prompts_with(&desk, CARD_RESET, "ACME?[2J 00 [!]> ");
    prompts_with(&desk, CARD_OTHER, "ACME?[2J 00 [!]> ");
    prompts_with(&desk, CARD_GONE, "ACME?[2J 00 [gone]> ");
    desk.depth = 1;
    prompts_with(&desk, CARD_READY, "ACME?[2J 00 [card T=0, transaction]> ");
    desk.protocol = 0; /* direct */
    prompts_with(&desk, CARD_READY, "ACME?[2J 00 [card]> ");
    prompts_with(&(struct desk){0}, CARD_NONE, "scard> ");
}

static void events_of_use_have_no_words(void **state)
{
    char name[] = "R";
    struct watcher_event event = {.what = MONITOR_USE, .reader = name};
    char *words;

    (void)state;
    assert_null(shell_event_words(&event));
    event.what = MONITOR_CARD_OUT;
    words = shell_event_words(&event);
    assert_string_equal(words, "* R: card out");
    free(words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_scripts_know_comments_and_joined_lines),
        cmocka_unit_test(a_last_line_that_goes_on_is_not_lost),
        cmocka_unit_test(scriptor_files_are_read_in_its_order),
        cmocka_unit_test(a_script_with_nul_bytes_is_refused),
        cmocka_unit_test(a_command_name_comes_before_an_apdu),
        cmocka_unit_test(a_comment_ends_an_apdu_line_but_not_in_quotes),
        cmocka_unit_test(a_history_keeps_no_secrets),
        cmocka_unit_test(a_history_file_is_private_and_stays_short),
        cmocka_unit_test(shells_that_append_at_once_lose_nothing),
        cmocka_unit_test(the_prompt_tells_the_state_of_the_card),
        cmocka_unit_test(events_of_use_have_no_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
