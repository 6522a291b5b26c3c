/* SPDX-License-Identifier: MIT */
/* The database's files: what is read, what is told as a problem, what each change does. */
#include "tests/unit/store_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void state_is(const char *expected)
{
    char *state = store_state();

    assert_string_equal(state, expected);
    free(state);
}

static void file_is(const char *below, const char *expected)
{
    char *text = store_get(below);

    if (!text)
        fail_msg("there is no %s", below);
    assert_string_equal(text, expected);
    free(text);
}

static void guids(void **state)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "{}",
                                      "{01234567-89AB-CDEF-0123-456789ABCDE}",
                                      "{01234567-89AB-CDEF-0123-456789ABCDEF",
                                      "01234567-89AB-CDEF-0123-456789ABCDEF}",
                                      "0123456789ABCDEF0123456789ABCDEF",
                                      "01234567-89AB-CDEF-0123456-789ABCDEF",
                                      "01234567-89AB-CDEF-0123-456789ABCDEG",
                                      "01234567-89AB-CDEF-0123-456789ABCDEF0"};
    struct guid guid, same;
    char text[GUID_TEXT_MAX];

    (void)state;
    assert_rc(guid_parse("{01234567-89ab-CDEF-fedc-ba9876543210}", &guid), RC_OK);
    assert_int_equal(guid.data1, 0x01234567);
    assert_int_equal(guid.data2, 0x89AB);
    assert_int_equal(guid.data3, 0xCDEF);
    assert_memory_equal(guid.data4, "\xFE\xDC\xBA\x98\x76\x54\x32\x10", 8);
    guid_format(&guid, text);
    assert_string_equal(text, "{01234567-89AB-CDEF-FEDC-BA9876543210}");
    assert_rc(guid_parse("01234567-89AB-CDEF-FEDC-BA9876543210", &same), RC_OK);
    assert_memory_equal(&guid, &same, sizeof guid);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_rc(guid_parse(bad[i], &same), RC_INVALID_VALUE);
    assert_memory_equal(&guid, &same, sizeof guid);
}

static void names(void **state)
{
    static const char *const good[] = {
        "a", " ", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xEF\xBF\xBD", "a/b"};
    static const char *const bad[] = {"",
                                      "\n",
                                      "a\x7F",
                                      "\x1B[2J",
                                      "\xE4",
                                      "\xC0\xAF",
                                      "\xED\xA0\x80",
                                      "\xE2\x82",
                                      "\xF4\x90\x80\x80",
                                      "\x80",
                                      "\xF8\x88\x80\x80\x80",
                                      "\xE2\x82\x41",
                                      "\xFF"};
    char *longest = malloc(NAME_MAX_BYTES + 2), file[NAME_FILE_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(name_is_valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(name_is_valid(bad[i]));
    assert_non_null(longest);
    memset(longest, 'x', NAME_MAX_BYTES);
    longest[NAME_MAX_BYTES] = '\0';
    assert_true(name_is_valid(longest));
    strcpy(longest + NAME_MAX_BYTES, "x");
    assert_false(name_is_valid(longest));
    free(longest);
    name_to_file("../a b$\xC3\xA4.conf", file);
    assert_string_equal(file, "_._a_b_\xC3\xA4.conf");
}

static void places(void **state)
{
    struct database_place place;

    (void)state;
    setenv("HOME", "/home/x", 1);
    setenv("XDG_CONFIG_HOME", "/other", 1);
    assert_rc(database_place_find(&place), RC_OK);
    assert_string_equal(place.user, "/other/scard");
    assert_words(place.system, "/scard");
    database_place_fini(&place);
    setenv("XDG_CONFIG_HOME", "relative", 1);
    assert_rc(database_place_find(&place), RC_OK);
    assert_string_equal(place.user, "/home/x/.config/scard");
    database_place_fini(&place);
    unsetenv("HOME");
    unsetenv("XDG_CONFIG_HOME");
    assert_rc(database_place_find(&place), RC_OK);
    assert_null(place.user);
    database_place_fini(&place);
}

static void all_settings_are_read(void **state)
{
    (void)state;
    store_put(
        "user/cards.d/1.conf",
        "\xEF\xBB\xBF# Windows\r\nname = \"Z\";\r\natr = \"3b:65 00,00-20\";\r\nmask=\"FF FF 00 FF 0f\"\r\n"
        "interfaces = [ \"{01234567-89AB-CDEF-0123-456789ABCDEF}\" ];\n"
        "primary = \"11234567-89AB-CDEF-0123-456789ABCDEF\"; csp = \"C\"; ksp = \"K\"; module = \"M\";\n");
    store_put("user/cards.d/2.conf", "name = \"A\" \"B\";");
    store_put("system/cards.d/1.conf", "name = \"A\"; atr = \"3B00\";");
    store_put("system/readers.d/1.conf", "name = \"Desk\"; device = \"usb:1-2.3:1.0\"; hidden = false;");
    store_put("user/readers.d/1.conf", "name = \"Model 00 00\"; hidden = true;");
    store_put("user/groups.d/1.conf", "name = \"G\"; readers = ( \"b\", \"a\", \"b\" );");
    store_put("system/groups.d/1.conf", "name = \"G\"; readers = ();");
    store_put("system/groups.d/.hidden.conf", "not looked at");
    store_put("system/groups.d/1.conf~", "not looked at");
    store_put("system/groups.d/.conf", "not looked at");
    state_is("card user AB [][][][]\n"
             "card user Z 3B65000020 FFFF00FF0F {01234567-89AB-CDEF-0123-456789ABCDEF} "
             "[11234567-89AB-CDEF-0123-456789ABCDEF][C][K][M]\n"
             "card system A 3B00 FFFF [][][][]\n"
             "reader user Model 00 00 = hidden\n"
             "reader system Desk = usb:1-2.3:1.0\n"
             "group user G = [b] [a]\n"
             "group system G =\n");
}

static const struct {
    const char *folder, *text;
    unsigned line;
    const char *words;
} damaged[] = {
    {"cards.d", "name = \"a\";\n\natr = ;\n", 3, "syntax error"},
    {"cards.d", "name = \"a\";\nnaem = 1;\n", 2, "'naem'"},
    {"cards.d", "name = \"a\";\nname = \"b\";\n", 2, "duplicate"},
    {"cards.d", "", 0, "no name"},
    {"cards.d", "# Nothing but this\n", 0, "no name"},
    {"cards.d", "\n\nname = 5;", 3, "in quotes"},
    {"cards.d", "\nname = \"\";", 2, "UTF-8"},
    {"cards.d", "name = \"\xE4\";", 1, "UTF-8"},
    {"cards.d", "name = \"a\\nb\";", 1, "control"},
    {"cards.d", "name = \"\\x1B[2J\";", 1, "control"},
    {"cards.d", "name = \"a\";\natr = 3;", 2, "in quotes"},
    {"cards.d", "name = \"a\";\natr = \"3B 0\";", 2, "half a byte"},
    {"cards.d", "name = \"a\";\natr = \"3B ZZ\";", 2, "character 4"},
    {"cards.d", "name = \"a\";\natr = \"\";", 2, "0 bytes"},
    {"cards.d",
     "name = \"a\"; atr = \"0000000000000000000000000000000000000000000000000000000000000000000000000000\";",
     1, "38 bytes"},
    {"cards.d", "name = \"a\";\natr = \"3B 00\";\nmask = \"FF\";", 3, "1 bytes, and the ATR 2"},
    {"cards.d", "mask = \"FF\";\nname = \"a\";", 1, "the ATR 0"},
    {"cards.d", "name = \"a\";\ninterfaces = \"x\";", 2, "interfaces = ("},
    {"cards.d", "name = \"a\"; interfaces = (\n\"{01234567-89AB-CDEF-0123-456789ABCDEF}\",\n\"x\");", 3,
     "GUID"},
    {"cards.d", "name = \"a\"; interfaces = ( 1 );", 1, "GUID"},
    {"cards.d", "name = \"a\";\nprimary = \"x\";", 2, "GUID"},
    {"cards.d", "name = \"a\"; csp = { x = 1; };", 1, "csp"},
    {"cards.d", "# One\n  @include \"/etc/passwd\"\n", 2, "included"},
    {"readers.d", "name = \"a\";", 0, "hidden = true"},
    {"readers.d", "name = \"a\"; hidden = false;", 0, "device"},
    {"readers.d", "name = \"a\"; device = \"b\"; hidden = true;", 0, "hidden = true"},
    {"readers.d", "name = \"a\";\nhidden = \"yes\";", 2, "hidden = true"},
    {"readers.d", "name = \"a\";\ndevice = \"\";", 2, "device"},
    {"readers.d", "name = \"a\";\natr = \"3B\";", 2, "name, device and hidden"},
    {"groups.d", "name = \"a\";", 0, "readers"},
    {"groups.d", "name = \"a\";\nreaders = \"b\";", 2, "readers = ("},
    {"groups.d", "name = \"a\";\nreaders = ( \"b\",\n1 );", 3, "in quotes"},
    {"groups.d", "name = \"a\"; readers = ( ( \"b\" ) );", 1, "in quotes"},
    {"groups.d", "name = \"a", 1, "syntax"},
};

static void damaged_files_are_told_with_their_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        char path[64], start[600], *kept, *told;

        snprintf(path, sizeof path, "user/%s/bad.conf", damaged[i].folder);
        store_put("user/cards.d/good.conf", "name = \"Good\";");
        store_put(path, damaged[i].text);
        told = store_state();
        snprintf(start, sizeof start, "card user Good [][][][]\nproblem %s:%u: ", store_path(path),
                 damaged[i].line);
        if (strncmp(told, start, strlen(start)) != 0)
            fail_msg("%s\nis told as %s", damaged[i].text, told);
        assert_words(told, damaged[i].words);
        /* One problem, and the file is as it was. */
        assert_string_equal(strchr(strstr(told, "problem"), '\n'), "\n");
        kept = store_get(path);
        assert_string_equal(kept, damaged[i].text);
        free(kept);
        free(told);
        store_clear(NULL);
    }
}

/* Nothing of it is waited for, read without end or opened. */
static void other_things_than_files(void **state)
{
    static const struct {
        const char *file, *words;
    } expected[] = {{"dangling.conf", "No such file"}, {"device.conf", "is not a file"},
                    {"fifo.conf", "is not a file"},    {"folder.conf", "is not a file"},
                    {"huge.conf", "more than"},        {"loop.conf", "symbolic links"},
                    {"nul.conf", "byte 00"},           {"refused.conf", "Permission denied"}};
    char *told, *at;
    int fd;

    (void)state;
    store_put("user/cards.d/good.conf", "name = \"Good\";");
    store_put("user/elsewhere", "name = \"Linked\";");
    assert_int_equal(symlink("../elsewhere", store_path("user/cards.d/linked.conf")), 0);
    assert_int_equal(symlink("nothing", store_path("user/cards.d/dangling.conf")), 0);
    assert_int_equal(symlink("/dev/zero", store_path("user/cards.d/device.conf")), 0);
    assert_int_equal(mkfifo(store_path("user/cards.d/fifo.conf"), 0600), 0);
    assert_int_equal(mkdir(store_path("user/cards.d/folder.conf"), 0700), 0);
    assert_int_equal(symlink("loop.conf", store_path("user/cards.d/loop.conf")), 0);
    fd = open(store_path("user/cards.d/huge.conf"), O_WRONLY | O_CREAT, 0600);
    assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
    close(fd);
    store_write("user/cards.d/nul.conf", "name = \"a\";\0", 12);
    store_put("user/cards.d/refused.conf", "name = \"Refused\";");
    store_refuse("refused.conf");
    told = store_state();
    at = told;
    for (const char *line = "card user Good [][][][]\ncard user Linked [][][][]\n"; *line; line++)
        assert_int_equal(*at++, *line);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        char *end = strchr(at, '\n');

        assert_non_null(end);
        *end = '\0';
        assert_words(at, expected[i].file);
        assert_words(at, expected[i].words);
        at = end + 1;
    }
    assert_string_equal(at, "");
    free(told);
    store_clear(NULL);
    store_put("user/cards.d", "a file");
    told = store_state();
    assert_words(told, "user/cards.d:0: cannot be read: Not a directory");
    free(told);
}

static void of_two_files_with_one_name_the_first_counts(void **state)
{
    char *told;

    (void)state;
    store_put("user/cards.d/20.conf", "name = \"A\"; atr = \"20\";");
    store_put("user/cards.d/10.conf", "name = \"A\"; atr = \"10\";");
    store_put("system/cards.d/10.conf", "name = \"A\"; atr = \"30\";");
    told = store_state();
    assert_words(told, "card user A 10 FF [][][][]\ncard system A 30 FF [][][][]\nproblem ");
    assert_words(told, "user/cards.d/20.conf:0: 'A' is in ");
    assert_words(told, "10.conf already");
    assert_null(strstr(told, " 20 FF"));
    free(told);
}

static void matching(void **state)
{
    struct database_card card = {.atr = {0x3B, 0x10, 0x05}, .mask = {0xFF, 0xF0, 0x05}, .atr_length = 3};
    struct database_card never = {.atr = {0x3B, 0x11}, .mask = {0xFF, 0xF0}, .atr_length = 2};

    (void)state;
    assert_true(database_card_matches(&card, (const uint8_t *)"\x3B\x1F\xFF", 3));
    assert_false(database_card_matches(&card, (const uint8_t *)"\x3B\x2F\xFF", 3));
    assert_false(database_card_matches(&card, (const uint8_t *)"\x3B\x1F\xFF\x00", 4));
    assert_false(database_card_matches(&card, (const uint8_t *)"\x3B\x1F", 2));
    /* A bit that the mask takes away is never equal to one that is stored: the literal rule. */
    assert_false(database_card_matches(&never, (const uint8_t *)"\x3B\x11", 2));
    card.atr_length = 0;
    assert_false(database_card_matches(&card, NULL, 0));
}

static void cards_are_added_changed_and_removed(void **state)
{
    struct guid interfaces[2] = {{1, 2, 3, {4, 5, 6, 7, 8, 9, 10, 11}}, {0xFFFFFFFF, 0, 0, {0}}};
    struct database_card card = {.scope = DATABASE_USER,
                                 .name = TEXT("Quote \" back \\ \xC3\xA4"),
                                 .atr = {0x3B, 0x81},
                                 .mask = {0xFF, 0xF1},
                                 .atr_length = 2,
                                 .interfaces = interfaces,
                                 .interface_count = 2,
                                 .providers = {[PROVIDER_CSP] = TEXT("C # \" ;")}};

    (void)state;
    assert_rc(database_card_add(&store_place, &card), RC_OK);
    state_is("card user Quote \" back \\ \xC3\xA4 3B81 FFF1 {00000001-0002-0003-0405-060708090A0B} "
             "{FFFFFFFF-0000-0000-0000-000000000000} [][C # \" ;][][]\n");
    assert_rc(database_card_add(&store_place, &card), RC_INVALID_VALUE);
    assert_words(detail_get(), "Quote___back___\xC3\xA4.conf");
    card.scope = DATABASE_SYSTEM;
    assert_rc(database_card_add(&store_place, &card), RC_OK);
    assert_rc(database_card_set_provider(&store_place, DATABASE_SYSTEM, card.name, PROVIDER_PRIMARY, "x"),
              RC_INVALID_VALUE);
    assert_rc(database_card_set_provider(&store_place, DATABASE_SYSTEM, card.name, PROVIDER_MODULE, "a\n"),
              RC_INVALID_PARAMETER);
    assert_rc(database_card_set_provider(&store_place, DATABASE_SYSTEM, card.name, PROVIDER_MODULE, "M"),
              RC_OK);
    assert_rc(database_card_set_provider(&store_place, DATABASE_SYSTEM, card.name, PROVIDER_CSP, NULL),
              RC_OK);
    assert_rc(database_card_remove(&store_place, DATABASE_USER, card.name), RC_OK);
    assert_rc(database_card_remove(&store_place, DATABASE_USER, card.name), RC_NOT_FOUND);
    assert_rc(database_card_set_provider(&store_place, DATABASE_USER, card.name, PROVIDER_CSP, "C"),
              RC_NOT_FOUND);
    state_is("card system Quote \" back \\ \xC3\xA4 3B81 FFF1 {00000001-0002-0003-0405-060708090A0B} "
             "{FFFFFFFF-0000-0000-0000-000000000000} [][][][M]\n");
    card.name = TEXT("bad\n");
    assert_rc(database_card_add(&store_place, &card), RC_INVALID_PARAMETER);
}

static void readers_and_groups_are_added_changed_and_removed(void **state)
{
    struct database_reader reader = {.name = TEXT("Desk"), .device = TEXT("usb:1-2:1.0")};
    struct database_reader hidden = {.name = TEXT("Model 00 00"), .hidden = true};
    struct database_reader neither = {.name = TEXT("x")};

    (void)state;
    assert_rc(database_reader_add(&store_place, &reader), RC_OK);
    assert_rc(database_reader_add(&store_place, &reader), RC_DUPLICATE);
    assert_rc(database_reader_add(&store_place, &hidden), RC_OK);
    assert_rc(database_reader_add(&store_place, &neither), RC_INVALID_PARAMETER);
    assert_rc(database_group_add(&store_place, DATABASE_USER, "G", "Desk"), RC_OK);
    assert_rc(database_group_add(&store_place, DATABASE_USER, "G", "Desk"), RC_OK);
    assert_rc(database_group_add(&store_place, DATABASE_USER, "G", "Other"), RC_OK);
    assert_rc(database_group_add(&store_place, DATABASE_USER, "H", "Desk"), RC_OK);
    assert_rc(database_group_add(&store_place, DATABASE_SYSTEM, "G", "Desk"), RC_OK);
    state_is("reader user Desk = usb:1-2:1.0\nreader user Model 00 00 = hidden\n"
             "group user G = [Desk] [Other]\ngroup user H = [Desk]\ngroup system G = [Desk]\n");
    assert_rc(database_reader_remove(&store_place, DATABASE_SYSTEM, "Desk"), RC_NOT_FOUND);
    /* It leaves the groups of its scope, and one of them with it. */
    assert_rc(database_reader_remove(&store_place, DATABASE_USER, "Desk"), RC_OK);
    state_is("reader user Model 00 00 = hidden\ngroup user G = [Other]\ngroup system G = [Desk]\n");
    assert_rc(database_group_remove(&store_place, DATABASE_USER, "G", "Desk"), RC_NOT_FOUND);
    assert_words(detail_get(), "not in the group");
    assert_rc(database_group_remove(&store_place, DATABASE_USER, "None", "Desk"), RC_NOT_FOUND);
    assert_rc(database_group_remove(&store_place, DATABASE_USER, "G", "Other"), RC_OK);
    assert_rc(database_group_forget(&store_place, DATABASE_USER, "G"), RC_NOT_FOUND);
    assert_rc(database_group_forget(&store_place, DATABASE_SYSTEM, "G"), RC_OK);
    assert_rc(database_group_add(&store_place, DATABASE_USER, "", "Desk"), RC_INVALID_PARAMETER);
    assert_rc(database_group_add(&store_place, DATABASE_USER, "G", "\xFF"), RC_INVALID_PARAMETER);
    state_is("reader user Model 00 00 = hidden\n");
}

static void names_that_make_one_file_name(void **state)
{
    char *longest = malloc(NAME_MAX_BYTES + 1), *told;

    (void)state;
    assert_non_null(longest);
    for (int without = 0; without < 2; without++) {
        store_no_renameat2(without);
        memset(longest, 'x', NAME_MAX_BYTES);
        longest[NAME_MAX_BYTES] = '\0';
        store_add_card(DATABASE_USER, longest);
        longest[NAME_MAX_BYTES - 1] = 'y';
        store_add_card(DATABASE_USER, longest);
        store_add_card(DATABASE_USER, "a b");
        store_add_card(DATABASE_USER, "a/b");
        store_add_card(DATABASE_USER, "a_b");
        store_add_card(DATABASE_USER, "../../x");
        store_add_card(DATABASE_USER, ".");
        told = store_state();
        assert_null(strstr(told, "problem"));
        assert_words(told, "card user . 3B00");
        assert_words(told, "card user ../../x 3B00");
        assert_words(told,
                     "card user a b 3B00 FFFF [][][][]\ncard user a/b 3B00 FFFF [][][][]\ncard user a_b");
        assert_words(told, "xxx 3B00");
        assert_words(told, "xxy 3B00");
        free(told);
        assert_rc(database_card_remove(&store_place, DATABASE_USER, "a/b"), RC_OK);
        assert_int_equal(access(store_path("user/cards.d/a_b.conf"), F_OK), 0);
        assert_int_equal(access(store_path("user/cards.d/a_b-3.conf"), F_OK), 0);
        assert_int_not_equal(access(store_path("user/cards.d/a_b-2.conf"), F_OK), 0);
        assert_rc(database_card_remove(&store_place, DATABASE_USER, longest), RC_OK);
        store_clear(NULL);
    }
    free(longest);
}

static void a_change_keeps_the_head_and_the_mode(void **state)
{
    static const char *const heads[] = {"# One\n\n// Two\n/* Three\n   four */", "/**/", "# name = \"B\";"};
    char text[256];
    struct stat status;

    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        snprintf(text, sizeof text, "%s\n\n name = \"A\"; # lost\natr = \"3b00\";", heads[i]);
        store_put("user/cards.d/mine.conf", text);
        assert_int_equal(chmod(store_path("user/cards.d/mine.conf"), 0640), 0);
        assert_rc(database_card_set_provider(&store_place, DATABASE_USER, "A", PROVIDER_KSP, "K"), RC_OK);
        snprintf(text, sizeof text, "%s\nname = \"A\";\natr = \"3B 00\";\nksp = \"K\";\n", heads[i]);
        file_is("user/cards.d/mine.conf", text);
        assert_int_equal(stat(store_path("user/cards.d/mine.conf"), &status), 0);
        assert_int_equal(status.st_mode & 07777, 0640);
    }
    store_put("user/groups.d/mine.conf", "name = \"G\"; readers = ( \"a\" );");
    assert_rc(database_group_add(&store_place, DATABASE_USER, "G", "b"), RC_OK);
    file_is("user/groups.d/mine.conf", "name = \"G\";\nreaders = ( \"a\", \"b\" );\n");
    store_add_card(DATABASE_USER, "New");
    assert_rc(database_card_set_provider(&store_place, DATABASE_USER, "New", PROVIDER_KSP, "K"), RC_OK);
    file_is("user/cards.d/New.conf", "# A type of smart card: see scard-database(5).\nname = \"New\";\n"
                                     "atr = \"3B 00\";\nksp = \"K\";\n");
}

static void mode_is(const char *below, mode_t expected)
{
    struct stat status;

    assert_int_equal(stat(store_path(below), &status), 0);
    assert_int_equal(status.st_mode & 07777, expected);
}

/* The user's is for the user alone; the system's can be read by all and locked by root alone, whatever the
 * umask. */
static void modes(void **state)
{
    mode_t before;

    (void)state;
    for (mode_t mask = 0; mask <= 077; mask += 077) {
        before = umask(mask);
        store_add_card(DATABASE_USER, "A");
        store_add_card(DATABASE_SYSTEM, "A");
        umask(before);
        mode_is("user", 0700);
        mode_is("user/cards.d", 0700);
        mode_is("user/cards.d/A.conf", 0600);
        mode_is("user/.lock", 0600);
        mode_is("system", 0755);
        mode_is("system/cards.d", 0755);
        mode_is("system/cards.d/A.conf", 0644);
        mode_is("system/.lock", 0600);
        store_clear(NULL);
    }
}

static void a_damaged_file_may_hold_the_name(void **state)
{
    (void)state;
    store_put("user/cards.d/bad.conf", "name = \"A\"; atr = ;");
    assert_rc(database_card_remove(&store_place, DATABASE_USER, "A"), RC_NOT_FOUND);
    assert_words(detail_get(), "user/cards.d/bad.conf");
    store_add_card(DATABASE_USER, "A");
    assert_rc(database_card_remove(&store_place, DATABASE_USER, "A"), RC_OK);
    file_is("user/cards.d/bad.conf", "name = \"A\"; atr = ;");
}

static void nowhere_to_write(void **state)
{
    struct database_place none = {.system = store_place.system};
    struct database_card card = {.scope = DATABASE_USER, .name = TEXT("A")};
    struct database_place file = {.user = (char *)(uintptr_t)store_path("file/scard")};

    (void)state;
    assert_rc(database_card_add(&none, &card), RC_NO_SERVICE);
    assert_words(detail_get(), "HOME");
    assert_rc(database_card_remove(&none, DATABASE_USER, "A"), RC_NO_SERVICE);
    /* Taking away makes no folders. */
    assert_rc(database_card_remove(&none, DATABASE_SYSTEM, "A"), RC_NOT_FOUND);
    assert_rc(database_reader_remove(&none, DATABASE_SYSTEM, "A"), RC_NOT_FOUND);
    assert_rc(database_group_forget(&none, DATABASE_SYSTEM, "A"), RC_NOT_FOUND);
    assert_rc(database_group_remove(&none, DATABASE_SYSTEM, "A", "B"), RC_NOT_FOUND);
    assert_int_not_equal(access(store_path("system"), F_OK), 0);
    store_put("file", "a file");
    assert_rc(database_card_add(&file, &card), RC_IO);
    assert_words(detail_get(), "file/scard");
    store_put("user/.lock", "");
    assert_int_equal(unlink(store_path("user/.lock")), 0);
    assert_int_equal(symlink("target", store_path("user/.lock")), 0);
    assert_rc(database_card_add(&store_place, &card), RC_IO);
    assert_int_not_equal(access(store_path("user/target"), F_OK), 0);
}

/* At each folder on the way. */
static void folders_that_cannot_be_made(void **state)
{
    struct database_place deep = {.user = strdup(store_path("a/b/scard"))};
    struct database_card card = {.name = TEXT("A")};
    unsigned refused = 0;
    int hit = 1;

    (void)state;
    for (unsigned n = 1; hit; n++) {
        int rc;

        store_clear(NULL);
        store_fault_arm(STORE_FAILS, n, EROFS);
        rc = database_card_add(&deep, &card);
        hit = store_fault_hit();
        store_fault_arm(STORE_NO_FAULT, 0, 0);
        if (rc) {
            assert_rc(rc, RC_NO_ACCESS);
            refused++;
        }
    }
    assert_true(refused >= 6);
    free(deep.user);
}

/* What the link leads to may be shared: the change is the database's alone. */
static void a_change_takes_the_place_of_a_link(void **state)
{
    struct stat status;

    (void)state;
    store_put("shared", "name = \"A\";");
    store_put("user/cards.d/other.conf", "name = \"B\";");
    assert_int_equal(symlink("../../shared", store_path("user/cards.d/a.conf")), 0);
    assert_rc(database_card_set_provider(&store_place, DATABASE_USER, "A", PROVIDER_CSP, "C"), RC_OK);
    file_is("shared", "name = \"A\";");
    assert_int_equal(lstat(store_path("user/cards.d/a.conf"), &status), 0);
    assert_true(S_ISREG(status.st_mode));
    state_is("card user A [][C][][]\ncard user B [][][][]\n");
}

static void too_long_entries_are_not_written(void **state)
{
    struct database_card card = {.name = TEXT("A"), .interface_count = 10000};

    (void)state;
    card.interfaces = calloc(card.interface_count, sizeof *card.interfaces);
    assert_non_null(card.interfaces);
    assert_rc(database_card_add(&store_place, &card), RC_INVALID_VALUE);
    card.interface_count = 5000;
    assert_rc(database_card_add(&store_place, &card), RC_OK);
    free(card.interfaces);
    assert_rc(database_card_remove(&store_place, DATABASE_USER, "A"), RC_OK);
}

static bool same(const struct database_stamp *a, const struct database_stamp *b)
{
    for (size_t i = 0; i < 6; i++)
        if (a->inode[i] != b->inode[i] || a->changed[i].tv_sec != b->changed[i].tv_sec ||
            a->changed[i].tv_nsec != b->changed[i].tv_nsec)
            return false;
    return a->files == b->files;
}

static void changed(struct database_stamp *last)
{
    struct database_stamp now, again;

    database_stamp(&store_place, &now);
    database_stamp(&store_place, &again);
    assert_true(same(&now, &again));
    assert_false(same(&now, last));
    *last = now;
}

static void stamps(void **state)
{
    struct database_stamp last, none;
    struct stat before, after;

    (void)state;
    database_stamp(&store_place, &none);
    database_stamp(&(struct database_place){0}, &last);
    assert_true(same(&none, &last));
    store_put("user/cards.d/a.conf", "name = \"A\";");
    changed(&last);
    /* Of the same size, in place; the file system's clock may move slowly. */
    assert_int_equal(stat(store_path("user/cards.d/a.conf"), &before), 0);
    do {
        store_put("user/cards.d/a.conf", "name = \"B\";");
        assert_int_equal(stat(store_path("user/cards.d/a.conf"), &after), 0);
    } while (!memcmp(&before.st_ctim, &after.st_ctim, sizeof after.st_ctim));
    changed(&last);
    store_put("system/groups.d/a.conf", "");
    changed(&last);
    assert_int_equal(symlink("../elsewhere", store_path("user/cards.d/b.conf")), 0);
    changed(&last);
    store_put("user/elsewhere", "name = \"B\";");
    changed(&last);
    assert_int_equal(rename(store_path("user/cards.d"), store_path("user/cards.e")), 0);
    changed(&last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guids),
        cmocka_unit_test(names),
        cmocka_unit_test(places),
        cmocka_unit_test(matching),
        cmocka_unit_test_teardown(all_settings_are_read, store_clear),
        cmocka_unit_test_teardown(damaged_files_are_told_with_their_line, store_clear),
        cmocka_unit_test_teardown(other_things_than_files, store_clear),
        cmocka_unit_test_teardown(of_two_files_with_one_name_the_first_counts, store_clear),
        cmocka_unit_test_teardown(cards_are_added_changed_and_removed, store_clear),
        cmocka_unit_test_teardown(readers_and_groups_are_added_changed_and_removed, store_clear),
        cmocka_unit_test_teardown(names_that_make_one_file_name, store_clear),
        cmocka_unit_test_teardown(a_change_keeps_the_head_and_the_mode, store_clear),
        cmocka_unit_test_teardown(modes, store_clear),
        cmocka_unit_test_teardown(a_damaged_file_may_hold_the_name, store_clear),
        cmocka_unit_test_teardown(nowhere_to_write, store_clear),
        cmocka_unit_test_teardown(folders_that_cannot_be_made, store_clear),
        cmocka_unit_test_teardown(a_change_takes_the_place_of_a_link, store_clear),
        cmocka_unit_test_teardown(too_long_entries_are_not_written, store_clear),
        cmocka_unit_test_teardown(stamps, store_clear),
    };

    return cmocka_run_group_tests(tests, store_begin, store_end);
}
