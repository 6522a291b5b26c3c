/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "cli/call.h"
#include "cli/choose.h"
#include "cli/scope.h"
#include "commands/commands.h"

static const struct {
    const char *word;
    DWORD id;
} providers[] = {
    {"primary", SCARD_PROVIDER_PRIMARY},
    {"csp", SCARD_PROVIDER_CSP},
    {"ksp", SCARD_PROVIDER_KSP},
    {"module", SCARD_PROVIDER_CARD_MODULE},
};

#define PROVIDERS (sizeof providers / sizeof providers[0])

/* The provider, or NULL; SCardFreeMemory. */
static char *provider_of(SCARDCONTEXT context, const char *card, DWORD id)
{
    DWORD length = SCARD_AUTOALLOCATE;
    LPSTR text = NULL;

    return SCardGetCardTypeProviderName(context, card, id, (LPSTR)&text, &length) == SCARD_S_SUCCESS ? text
                                                                                                     : NULL;
}

static void add_interfaces(SCARDCONTEXT context, const char *card, struct record *record)
{
    DWORD count = SCARD_AUTOALLOCATE;
    char text[GUID_TEXT_MAX];
    LPGUID guids = NULL;

    record_list(record, SHOW_ALL, "interfaces");
    if (SCardListInterfaces(context, card, (LPGUID)&guids, &count) != SCARD_S_SUCCESS)
        return;
    for (DWORD i = 0; i < count; i++) {
        scope_guid_format(&guids[i], text);
        record_list_add(record, text);
    }
    SCardFreeMemory(context, guids);
}

static void show(struct call *call, const char *card)
{
    SCARDCONTEXT context = call->desk->context;
    struct record record;

    record_init(&record, "card", RECORD_ROW);
    record_text(&record, SHOW_ALL, "name", card);
    add_interfaces(context, card, &record);
    for (size_t i = 0; i < PROVIDERS; i++) {
        char *provider = provider_of(context, card, providers[i].id);

        record_text(&record, SHOW_JSON, providers[i].word, provider);
        if (provider != NULL)
            SCardFreeMemory(context, provider);
    }
    record_people(&record, "%s", card);
    output_record(call->output, &record);
    record_fini(&record);
}

static int list_types(struct call *call, const uint8_t *atr, const GUID *interfaces, size_t count)
{
    DWORD length = SCARD_AUTOALLOCATE;
    LPSTR cards = NULL;
    LONG code = SCardListCards(call->desk->context, atr, interfaces, count, (LPSTR)&cards, &length);

    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "cannot list the card types");
    for (const char *card = cards; *card != '\0'; card += strlen(card) + 1)
        show(call, card);
    SCardFreeMemory(call->desk->context, cards);
    return STATUS_DONE;
}

/* The ATR of the card in the reader, of ATR_ROOM bytes. */
#define ATR_ROOM 64

static int read_atr(struct call *call, struct buffer *atr)
{
    int status = choose_prepare(call, NEED_READER);
    SCARD_READERSTATE state = {0};
    LONG code;

    if (status != STATUS_DONE)
        return status;
    state.szReader = call->reader;
    code = SCardGetStatusChange(call->desk->context, 0, &state, 1);
    if (code == SCARD_S_SUCCESS && state.cbAtr == 0)
        code = state.dwEventState & SCARD_STATE_PRESENT ? SCARD_W_UNRESPONSIVE_CARD : SCARD_E_NO_SMARTCARD;
    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "no ATR from %s", call->reader);
    return buffer_append(atr, state.rgbAtr, state.cbAtr) < 0 ? call_no_memory(call) : STATUS_DONE;
}

static int run_list(struct call *call)
{
    const char *hex = call_option(call, "atr");
    struct buffer atr = {0};
    GUID *guids = NULL;
    size_t count = 0;
    int status = scope_guids(call, "interface", &guids, &count);

    if (status == STATUS_DONE && hex != NULL)
        status = call_hex(call, hex, &atr);
    else if (status == STATUS_DONE && call_flag(call, "from-card"))
        status = read_atr(call, &atr);
    /* The function finds the length itself, by what the ATR says: bytes behind it must be there to look at.
     */
    if (status == STATUS_DONE && atr.length > 0 && buffer_reserve(&atr, ATR_ROOM) < 0)
        status = call_no_memory(call);
    if (status == STATUS_DONE) {
        if (atr.length > 0)
            memset(atr.data + atr.length, 0, atr.capacity - atr.length);
        status = list_types(call, atr.length > 0 ? atr.data : NULL, guids, count);
    }
    buffer_fini(&atr);
    free(guids);
    return status;
}

/* ATR, mask and primary provider of a new card type. */
static int read_atr_and_mask(struct call *call, struct buffer *atr, struct buffer *mask)
{
    const char *hex = call_option(call, "atr"), *mask_hex = call_option(call, "mask");
    bool from_card = call_flag(call, "from-card");
    int status;

    if ((hex != NULL) == from_card)
        return call_fail(call, STATUS_USAGE, "", "give either --atr or --from-card");
    status = from_card ? read_atr(call, atr) : call_hex(call, hex, atr);
    if (status == STATUS_DONE && mask_hex != NULL)
        status = call_hex(call, mask_hex, mask);
    if (status == STATUS_DONE && mask_hex != NULL && mask->length != atr->length)
        return call_fail(call, STATUS_USAGE, "Each bit that is 1 in the mask must be as in the ATR.",
                         "the mask has %zu bytes, the ATR %zu", mask->length, atr->length);
    /* With a mask a bit counts or does not; one that does not would keep the type from ever being found. */
    for (size_t i = 0; status == STATUS_DONE && i < mask->length; i++)
        atr->data[i] &= mask->data[i];
    return status;
}

static int introduce_type(struct call *call, const struct buffer *atr, const struct buffer *mask,
                          const GUID *guids, size_t count)
{
    const char *name = call_argument(call, 0), *primary = call_option(call, "primary");
    SCARDCONTEXT context;
    GUID provider;
    int status = STATUS_DONE;

    if (primary != NULL)
        status = scope_guid(call, primary, &provider);
    if (status == STATUS_DONE)
        status = scope_open(call, &context);
    if (status != STATUS_DONE)
        return status;
    return scope_close(call, context,
                       SCardIntroduceCardType(context, name, primary != NULL ? &provider : NULL, guids, count,
                                              atr->data, mask->length > 0 ? mask->data : NULL, atr->length),
                       "cannot introduce card type \"%s\"", name);
}

static int run_introduce(struct call *call)
{
    struct buffer atr = {0}, mask = {0};
    GUID *guids = NULL;
    size_t count = 0;
    int status = scope_guids(call, "interface", &guids, &count);

    if (status == STATUS_DONE)
        status = read_atr_and_mask(call, &atr, &mask);
    if (status == STATUS_DONE)
        status = introduce_type(call, &atr, &mask, guids, count);
    buffer_fini(&atr);
    buffer_fini(&mask);
    free(guids);
    return status;
}

static int run_forget(struct call *call)
{
    const char *name = call_argument(call, 0);
    SCARDCONTEXT context;
    int status = scope_open(call, &context);

    if (status != STATUS_DONE)
        return status;
    return scope_close(call, context, SCardForgetCardType(context, name), "cannot forget card type \"%s\"",
                       name);
}

static int run_interfaces(struct call *call)
{
    const char *name = call_argument(call, 0);
    DWORD count = SCARD_AUTOALLOCATE;
    LPGUID guids = NULL;
    LONG code = SCardListInterfaces(call->desk->context, name, (LPGUID)&guids, &count);

    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "no interfaces of card type \"%s\"", name);
    for (DWORD i = 0; i < count; i++) {
        char text[GUID_TEXT_MAX];
        struct record record;

        scope_guid_format(&guids[i], text);
        record_init(&record, "interface", RECORD_ROW);
        record_text(&record, SHOW_ALL, "guid", text);
        output_record(call->output, &record);
        record_fini(&record);
    }
    SCardFreeMemory(call->desk->context, guids);
    return STATUS_DONE;
}

static int show_providers(struct call *call, SCARDCONTEXT context, const char *name, const char *kind)
{
    for (size_t i = 0; i < PROVIDERS; i++) {
        DWORD length = SCARD_AUTOALLOCATE;
        struct record record;
        LPSTR text = NULL;
        LONG code;

        if (kind != NULL && strcmp(kind, providers[i].word) != 0)
            continue;
        code = SCardGetCardTypeProviderName(context, name, providers[i].id, (LPSTR)&text, &length);
        /* One that is not set is missed only when it was asked for. */
        if (code == SCARD_E_FILE_NOT_FOUND && kind == NULL)
            continue;
        if (code != SCARD_S_SUCCESS)
            return call_fail_scard(call, code, "no %s provider of card type \"%s\"", providers[i].word, name);
        record_init(&record, "provider", RECORD_ROW);
        record_text(&record, SHOW_ALL, "kind", providers[i].word);
        record_text(&record, SHOW_ALL, "provider", text);
        output_record(call->output, &record);
        record_fini(&record);
        SCardFreeMemory(context, text);
    }
    return STATUS_DONE;
}

static int run_provider(struct call *call)
{
    const char *name = call_argument(call, 0), *kind = call_argument(call, 1),
               *value = call_argument(call, 2);
    SCARDCONTEXT context;
    size_t i = 0;
    int status = scope_open(call, &context);

    if (status != STATUS_DONE)
        return status;
    if (value == NULL) {
        status = show_providers(call, context, name, kind);
        SCardReleaseContext(context);
        return status;
    }
    while (strcmp(kind, providers[i].word) != 0)
        i++;
    return scope_close(call, context, SCardSetCardTypeProviderName(context, name, providers[i].id, value),
                       "cannot set the %s provider of card type \"%s\"", kind, name);
}

static const struct option_spec list_options[] = {
    {"atr", 0, VALUE_HEX, "HEX", NULL, "the ATR"},
    {"from-card", 0, VALUE_NONE, NULL, NULL, "the ATR of the card in the reader"},
    {"interface", 0, VALUE_TEXT, "GUID", NULL, "an interface that it has; repeat for more"},
    {0},
};

static const struct option_spec introduce_options[] = {
    {"atr", 0, VALUE_HEX, "HEX", NULL, "the ATR"},
    {"from-card", 0, VALUE_NONE, NULL, NULL, "the ATR of the card in the reader"},
    {"mask", 0, VALUE_HEX, "HEX", NULL, "which bits of the ATR count (all)"},
    {"interface", 0, VALUE_TEXT, "GUID", NULL, "an interface that it has; repeat for more"},
    {"primary", 0, VALUE_TEXT, "GUID", NULL, "its primary provider"},
    SCOPE_OPTION,
    {0},
};

static const struct option_spec scope_options[] = {SCOPE_OPTION, {0}};

static const struct argument_spec new_argument[] = {
    {"NAME", VALUE_TEXT, NULL, false, false, "name of the card type"},
    {0},
};

static const struct argument_spec name_argument[] = {
    {"NAME", VALUE_CARD_TYPE, NULL, false, false, "name of the card type"},
    {0},
};

static const struct argument_spec provider_arguments[] = {
    {"NAME", VALUE_CARD_TYPE, NULL, false, false, "name of the card type"},
    {"KIND", VALUE_CHOICE, "primary|csp|ksp|module", true, false, "which provider (all that are set)"},
    {"VALUE", VALUE_TEXT, NULL, true, false, "what it is set to; of primary a GUID"},
    {0},
};

static const struct command list = {
    .name = "card list",
    .summary = "the card types of the database",
    .description = "SCardListCards.",
    .examples = "  scard card list --from-card -r 0",
    .options = list_options,
    .needs = NEED_SERVICE,
    .run = run_list,
};

static const struct command introduce = {
    .name = "card introduce",
    .summary = "add a card type",
    .description =
        "SCardIntroduceCardType. \"scard list\", \"scard atr\" and \"scard locate\" know cards by it.",
    .examples = "  scard card introduce \"Staff badge\" --from-card -r 0\n"
                "  scard card introduce \"Any of them\" --atr 3B65000020630000 --mask FFFFFFFFFFFF0000",
    .arguments = new_argument,
    .options = introduce_options,
    .run = run_introduce,
};

static const struct command forget = {
    .name = "card forget",
    .summary = "take a card type away",
    .description = "SCardForgetCardType.",
    .arguments = name_argument,
    .options = scope_options,
    .run = run_forget,
};

static const struct command interfaces = {
    .name = "card interfaces",
    .summary = "the interfaces of a card type",
    .description = "SCardListInterfaces.",
    .arguments = name_argument,
    .needs = NEED_SERVICE,
    .run = run_interfaces,
};

static const struct command provider = {
    .name = "card provider",
    .summary = "the providers of a card type: show or set",
    .description = "SCardGetCardTypeProviderName and SCardSetCardTypeProviderName.",
    .examples = "  scard card provider \"Staff badge\"\n"
                "  scard card provider \"Staff badge\" module /usr/lib/opensc-pkcs11.so",
    .arguments = provider_arguments,
    .options = scope_options,
    .run = run_provider,
};

static const struct command *const children[] = {&list, &introduce, &forget, &interfaces, &provider, NULL};

const struct command command_card = {
    .name = "card",
    .group = "Database",
    .summary = "card types: names for ATRs",
    .children = children,
};
