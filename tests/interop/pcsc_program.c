/* SPDX-License-Identifier: MIT */
/*
 * A program made for pcsc-lite, compiled with its headers or with ours, linked to its library:
 *
 *   pcsc_program list           the names of the readers, by the library that it is linked to
 *   pcsc_program load LIBRARY   the same by a library that is loaded, with its own functions alone
 *   pcsc_program both LIBRARY   a context of one, used by the other: both are one library at work
 *   pcsc_program use [NAME]     a session with the first reader, or the first with this in its name: a line
 * for each call
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <winscard.h>
#include <reader.h>

static int failed(const char *what, LONG code)
{
    fprintf(stderr, "%s: %s (0x%08lX)\n", what, pcsc_stringify_error(code), code);
    return 1;
}

struct functions {
    __typeof__(SCardEstablishContext) *establish;
    __typeof__(SCardListReaders) *list;
    __typeof__(SCardReleaseContext) *release;
};

static int print_readers(const struct functions *functions)
{
    char names[2048];
    DWORD length = sizeof names;
    SCARDCONTEXT context;
    LONG code = functions->establish(SCARD_SCOPE_SYSTEM, NULL, NULL, &context);

    if (code != SCARD_S_SUCCESS)
        return failed("SCardEstablishContext", code);
    code = functions->list(context, NULL, names, &length);
    if (code != SCARD_S_SUCCESS)
        return failed("SCardListReaders", code);
    for (const char *name = names; *name; name += strlen(name) + 1)
        puts(name);
    code = functions->release(context);
    return code == SCARD_S_SUCCESS ? 0 : failed("SCardReleaseContext", code);
}

static int load(const char *library, struct functions *functions)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);

    if (!handle) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    *(void **)&functions->establish = dlsym(handle, "SCardEstablishContext");
    *(void **)&functions->list = dlsym(handle, "SCardListReaders");
    *(void **)&functions->release = dlsym(handle, "SCardReleaseContext");
    return !functions->establish || !functions->list || !functions->release;
}

static int use_both(const struct functions *loaded)
{
    DWORD length = 0;
    SCARDCONTEXT context;
    LONG code = loaded->establish(SCARD_SCOPE_SYSTEM, NULL, NULL, &context);

    if (code == SCARD_S_SUCCESS)
        code = SCardListReaders(context, NULL, NULL, &length);
    if (code == SCARD_S_SUCCESS)
        code = SCardReleaseContext(context);
    if (code != SCARD_S_SUCCESS)
        return failed("both", code);
    printf("one: %s\n", pcsc_stringify_error(loaded->release(context)));
    return 0;
}

static void print_bytes(const char *what, const BYTE *bytes, DWORD length)
{
    printf("%s ", what);
    for (DWORD i = 0; i < length; i++)
        printf("%02X", bytes[i]);
    puts("");
}

static void say(const char *what, LONG code)
{
    printf("%s 0x%08lX\n", what, code);
}

static void transmit(SCARDHANDLE card, DWORD protocol, const BYTE *command, DWORD length)
{
    SCARD_IO_REQUEST received = {0, sizeof received};
    const SCARD_IO_REQUEST *pci = protocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1;
    BYTE answer[258];
    DWORD answer_length = sizeof answer;
    LONG code = SCardTransmit(card, pci, command, length, &received, answer, &answer_length);

    say("transmit", code);
    if (code == SCARD_S_SUCCESS)
        print_bytes("answer", answer, answer_length);
}

/* What a card in the reader can do whatever it is; what differs between services is not printed. */
static void use_card(SCARDHANDLE card, DWORD protocol)
{
    static const BYTE select[] = {0x00, 0xA4, 0x04, 0x00, 0x07, 0xA0, 0x00, 0x00, 0x00, 0x79, 0x01, 0x00};
    char name[MAX_READERNAME];
    BYTE atr[MAX_ATR_SIZE], features[256], *block;
    DWORD name_length = sizeof name, atr_length = sizeof atr, state, active, length;
    LONG code = SCardStatus(card, name, &name_length, &state, &active, atr, &atr_length);

    say("status", code);
    print_bytes("atr", atr, atr_length);
    printf("state %lX, T=%d\n", state & (SCARD_PRESENT | SCARD_POWERED | SCARD_NEGOTIABLE),
           active == SCARD_PROTOCOL_T1);
    say("begin", SCardBeginTransaction(card));
    transmit(card, protocol, select, sizeof select);
    say("end", SCardEndTransaction(card, SCARD_LEAVE_CARD));
    length = SCARD_AUTOALLOCATE;
    code = SCardGetAttrib(card, SCARD_ATTR_ATR_STRING, (BYTE *)&block, &length);
    say("attribute", code);
    if (code == SCARD_S_SUCCESS)
        print_bytes("atr", block, length);
    length = 0;
    say("attribute, too short", SCardGetAttrib(card, SCARD_ATTR_ATR_STRING, atr, &length));
    code = SCardControl(card, CM_IOCTL_GET_FEATURE_REQUEST, NULL, 0, features, sizeof features, &length);
    if (code == SCARD_S_SUCCESS && length % sizeof(PCSC_TLV_STRUCTURE))
        say("features of a wrong length", code);
    say("wrong disposition", SCardReconnect(card, SCARD_SHARE_SHARED, protocol, 7, &active));
    say("reset", SCardReconnect(card, SCARD_SHARE_EXCLUSIVE, protocol, SCARD_RESET_CARD, &active));
    say("disconnect", SCardDisconnect(card, SCARD_UNPOWER_CARD));
    say("disconnect again", SCardDisconnect(card, SCARD_LEAVE_CARD));
}

/* The first reader with part in its name; part NULL: the first one. */
static const char *find(const char *names, const char *part)
{
    const char *name = names;

    while (part && *name && !strstr(name, part))
        name += strlen(name) + 1;
    return name;
}

static int use(const char *reader)
{
    SCARD_READERSTATE states[2] = {{.szReader = "\\\\?PnP?\\Notification"}, {.szReader = "no such reader"}};
    char names[2048];
    DWORD length = sizeof names, protocol;
    SCARDCONTEXT context;
    SCARDHANDLE card;
    LONG code = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context);

    if (code != SCARD_S_SUCCESS)
        return failed("SCardEstablishContext", code);
    say("valid", SCardIsValidContext(context));
    code = SCardListReaders(context, NULL, names, &length);
    if (code != SCARD_S_SUCCESS)
        return failed("SCardListReaders", code);
    say("unknown reader", SCardGetStatusChange(context, 0, states, 2));
    states[1].szReader = find(names, reader);
    say("readers", SCardGetStatusChange(context, 1000, states + 1, 1));
    print_bytes("atr", states[1].rgbAtr, states[1].cbAtr);
    states[1].dwCurrentState = states[1].dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
    say("nothing new", SCardGetStatusChange(context, 1, states + 1, 1));
    say("nobody waits", SCardCancel(context));
    code =
        SCardConnect(context, states[1].szReader, SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, &card, &protocol);
    say("connect", code);
    if (code == SCARD_S_SUCCESS)
        use_card(card, protocol);
    say("connect to nothing",
        SCardConnect(context, "no such reader", SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, &card, &protocol));
    say("release", SCardReleaseContext(context));
    say("release again", SCardReleaseContext(context));
    say("valid", SCardIsValidContext(context));
    return 0;
}

int main(int argc, char **argv)
{
    struct functions functions = {SCardEstablishContext, SCardListReaders, SCardReleaseContext};

    if (argc == 2 && !strcmp(argv[1], "list"))
        return print_readers(&functions);
    if ((argc == 2 || argc == 3) && !strcmp(argv[1], "use"))
        return use(argv[2]);
    if (argc == 3 && !strcmp(argv[1], "load"))
        return load(argv[2], &functions) || print_readers(&functions);
    if (argc == 3 && !strcmp(argv[1], "both"))
        return load(argv[2], &functions) || use_both(&functions);
    fprintf(stderr, "usage: pcsc_program list | load LIBRARY | both LIBRARY | use [READER]\n");
    return 2;
}
