/* SPDX-License-Identifier: MIT */
/* GUIDs: what interfaces, providers and cards are known by. */
#ifndef BASE_GUID_H
#define BASE_GUID_H

#include <stdbool.h>
#include <stdint.h>

/* As in memory on Windows: the first three fields in host order. */
struct guid {
    uint32_t data1;
    uint16_t data2, data3;
    uint8_t data4[8];
};

#define GUID_TEXT_MAX 39 /* "{8-4-4-4-12}" and a NUL */

/* In capitals, with braces. */
void guid_format(const struct guid *guid, char text[GUID_TEXT_MAX]);

/* With or without braces, capitals or not. false: it is none. */
bool guid_scan(const char *text, struct guid *ret_guid);

/* The same: RC_INVALID_VALUE with a detail. */
int guid_parse(const char *text, struct guid *ret_guid);

#endif
