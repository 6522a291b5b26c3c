/* SPDX-License-Identifier: MIT */
/* Variables of shells and scripts. */
#include "cli/variables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rc.h"

static void lines_are_expanded(void **state)
{
    static const struct {
        const char *line, *expanded; /* NULL: refused */
    } rows[] = {
        {"", ""},
        {"00A4 $id 00", "00A4 3F00 00"},
        {"$id", "3F00"},
        {"00A40000:${id}", "00A40000:3F00"},
        {"00A40000:$id/", "00A40000:3F00/"},
        {"echo a$id", "echo a$id"}, /* in the middle of a word it is none: SCard$DefaultReaders */
        {"echo a${id}b", "echo a3F00b"},
        {"\\$id", "$id"},
        {"'$id' $id", "'$id' 3F00"},
        {"\"$id\"", "\"3F00\""},
        {"$_$SW", "01029000"},
        {"100$", "100$"},
        {"$ x", "$ x"},
        {"$nothing", NULL},
        {"${id", NULL},
        {"${}", NULL},
        {"$ids", NULL},
        {"\"it's $id\" $id", "\"it's 3F00\" 3F00"},
        {"\\'$id", "\\'3F00"},
        {"\\\\$id", "\\\\3F00"},
    };
    struct variables variables = {0};

    (void)state;
    assert_int_equal(variables_set(&variables, "id", "3F00"), RC_OK);
    assert_int_equal(variables_set(&variables, "_", "0102"), RC_OK);
    assert_int_equal(variables_set(&variables, "SW", "9000"), RC_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *line = NULL;
        int rc = variables_expand(&variables, rows[i].line, VARIABLES_APDU, &line);

        if (rows[i].expanded == NULL)
            assert_int_equal(rc, RC_INVALID_VALUE);
        else
            assert_string_equal(line, rows[i].expanded);
        free(line);
    }
    variables_fini(&variables);
}

/* What a value holds is in the words, whatever it is. */
static void values_are_no_quotes(void **state)
{
    static const struct {
        const char *line, *expanded;
    } rows[] = {
        {"echo $text", "echo it\\'s \\\"1\\\" \\# \\\\"},
        {"echo \"$text\"", "echo \"it's \\\"1\\\" # \\\\\""},
        {"assert $empty == $empty", "assert \"\" == \"\""},
        {"a${empty}b", "ab"},
        {"\"$empty\"", "\"\""},
    };
    struct variables variables = {0};

    (void)state;
    assert_int_equal(variables_set(&variables, "text", "it's \"1\" # \\"), RC_OK);
    assert_int_equal(variables_set(&variables, "empty", ""), RC_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *line = NULL;

        assert_int_equal(variables_expand(&variables, rows[i].line, VARIABLES_WORDS, &line), RC_OK);
        assert_string_equal(line, rows[i].expanded);
        free(line);
    }
    variables_fini(&variables);
}

static void a_set_replaces_and_an_unset_takes_away(void **state)
{
    struct variables variables = {0};

    (void)state;
    assert_null(variables_get(&variables, "a"));
    assert_int_equal(variables_set(&variables, "a", "1"), RC_OK);
    assert_int_equal(variables_set(&variables, "ab", "2"), RC_OK);
    assert_int_equal(variables_set(&variables, "a", "3"), RC_OK);
    assert_string_equal(variables_get(&variables, "a"), "3");
    assert_int_equal(variables.count, 2);
    variables_unset(&variables, "a");
    assert_null(variables_get(&variables, "a"));
    assert_string_equal(variables_get(&variables, "ab"), "2");
    assert_int_equal(variables_set(&variables, "1a", "x"), RC_INVALID_VALUE);
    assert_int_equal(variables_set(&variables, "", "x"), RC_INVALID_VALUE);
    assert_int_equal(variables_set(&variables, "a-b", "x"), RC_INVALID_VALUE);
    variables_fini(&variables);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_expanded),
        cmocka_unit_test(values_are_no_quotes),
        cmocka_unit_test(a_set_replaces_and_an_unset_takes_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
