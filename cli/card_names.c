/* SPDX-License-Identifier: MIT */
#include "cli/card_names.h"

#include <stdlib.h>
#include <string.h>

#include <winscard.h>

#include "base/rc.h"

static int add(struct atr_names *names, const char *name)
{
    char **grown = reallocarray(names->names, names->count + 1, sizeof *grown);
    char *copy = strdup(name);

    if (grown != NULL)
        names->names = grown;
    if (grown == NULL || copy == NULL) {
        free(copy);
        return RC_NO_MEMORY;
    }
    grown[names->count++] = copy;
    return RC_OK;
}

static int add_types(const uint8_t *atr, size_t atr_length, struct atr_names *names)
{
    /* The function takes the length from the ATR itself, which may promise more than there is. */
    uint8_t padded[2 * MAX_ATR_SIZE] = {0};
    DWORD length = SCARD_AUTOALLOCATE;
    LPSTR types = NULL;
    int rc = RC_OK;

    if (atr_length == 0 || atr_length > MAX_ATR_SIZE)
        return RC_OK;
    memcpy(padded, atr, atr_length);
    if (SCardListCards(0, padded, NULL, 0, (LPSTR)&types, &length) != SCARD_S_SUCCESS)
        return RC_OK;
    for (const char *type = types; *type != '\0' && rc == RC_OK; type += strlen(type) + 1)
        rc = add(names, type);
    SCardFreeMemory(0, types);
    return rc;
}

int card_names_find(const uint8_t *atr, size_t atr_length, struct atr_names *names)
{
    int rc = add_types(atr, atr_length, names);

    return rc == RC_OK ? atr_list_names(atr, atr_length, names) : rc;
}
