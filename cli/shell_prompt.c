/* SPDX-License-Identifier: MIT */
#include "cli/shell_prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/names.h"

/* The card of the connection was taken out; is one in the reader now? */
static enum card_state removed_state(const struct desk *desk)
{
    SCARD_READERSTATE state = {.szReader = desk->reader};

    if (SCardGetStatusChange(desk->context, 0, &state, 1) == SCARD_S_SUCCESS &&
        state.dwEventState & SCARD_STATE_PRESENT)
        return CARD_OTHER;
    return CARD_ABSENT;
}

enum card_state shell_card_state(const struct desk *desk)
{
    DWORD state = 0, protocol, atr = 0;
    LONG code;

    if (!desk_is_connected(desk))
        return CARD_NONE;
    code = SCardStatus(desk->card, NULL, NULL, &state, &protocol, NULL, &atr);
    switch (code) {
    case SCARD_S_SUCCESS:
        return state & SCARD_PRESENT ? CARD_READY : CARD_ABSENT;
    case SCARD_W_RESET_CARD:
        return CARD_RESET;
    case SCARD_W_REMOVED_CARD:
        return removed_state(desk);
    case SCARD_E_CANCELLED:
    case SCARD_E_SHARING_VIOLATION:
        return CARD_HELD;
    case SCARD_E_NO_SMARTCARD:
        return CARD_ABSENT;
    default:
        return CARD_GONE;
    }
}

/* Names come from readers: nothing in them may steer the terminal. */
static char *printable(const char *name)
{
    char *copy = strdup(name);

    for (char *at = copy; at != NULL && *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7F)
            *at = '?';
    return copy;
}

char *shell_prompt(const struct desk *desk, enum card_state state)
{
    const char *application = explain_context_name(desk->selected);
    char *prompt = NULL, *name, channel[16] = "";
    int length;

    if (state == CARD_NONE)
        return strdup("scard> ");
    name = printable(desk->reader);
    if (name == NULL)
        return NULL;
    if (desk->channel > 0)
        snprintf(channel, sizeof channel, ", channel %u", desk->channel);
    if (state == CARD_READY && desk->protocol == 0)
        length = asprintf(&prompt, "%s [card]> ", name);
    else if (state == CARD_READY)
        length =
            asprintf(&prompt, "%s%s%s [card %s%s%s]> ", application, *application != '\0' ? "@" : "", name,
                     names_protocol(desk->protocol), channel, desk->depth > 0 ? ", transaction" : "");
    else
        length = asprintf(&prompt, "%s [%s]> ", name,
                          state == CARD_ABSENT ? "-"
                          : state == CARD_GONE ? "gone"
                                               : "!");
    free(name);
    return length < 0 ? NULL : prompt;
}

char *shell_event_words(const struct watcher_event *event)
{
    const char *words;
    char *name, *text;
    int length;

    if (event->lost)
        return strdup("* the service has ended: no more events");
    switch (event->what) {
    case MONITOR_CARD_IN:
        words = event->state & SCARD_STATE_MUTE ? "card in, but it does not answer" : "card in";
        break;
    case MONITOR_CARD_OUT:
        words = "card out";
        break;
    case MONITOR_READER_IN:
        words = "new reader";
        break;
    case MONITOR_READER_OUT:
        words = "reader gone";
        break;
    default:
        return NULL;
    }
    name = printable(event->reader);
    if (name == NULL)
        return NULL;
    length = asprintf(&text, "* %s: %s", name, words);
    free(name);
    return length < 0 ? NULL : text;
}
