/* SPDX-License-Identifier: MIT */
#include "tests/usbemu/emu_fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"

struct rule {
    struct list node;
    struct emu_fault fault;
    unsigned seen;
};

static const char *const wheres[] = {"out", "in", "interrupt", "control"};
static const char *const actions[] = {
    [EMU_STALL] = "stall",     [EMU_SILENT] = "silent",   [EMU_SHORT] = "short",
    [EMU_EMPTY] = "empty",     [EMU_STRAY] = "stray",     [EMU_BABBLE] = "babble",
    [EMU_PROTO] = "proto",     [EMU_UNPLUG] = "unplug",   [EMU_BADSEQ] = "badseq",
    [EMU_BADSLOT] = "badslot", [EMU_BADTYPE] = "badtype", [EMU_BADLENGTH] = "badlength",
    [EMU_EXTEND] = "extend",   [EMU_DELAY] = "delay",     [EMU_ERROR] = "error",
    [EMU_STALE] = "stale",     [EMU_REMOVE] = "remove",
};

static int find(const char *word, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, names[i]) == 0)
            return (int)i;
    return -1;
}

static bool read_number(const char *text, int base, unsigned *ret)
{
    char *end;
    unsigned long value = strtoul(text, &end, base);

    if (!*text || *end || value > 0xFFFFFFFFUL)
        return false;
    *ret = (unsigned)value;
    return true;
}

static bool read_word(char *word, struct emu_fault *fault, bool *acted)
{
    char *value = strchr(word, '=');
    unsigned number = 0;
    int action;

    if (value)
        *value++ = '\0';
    action = find(word, actions, sizeof actions / sizeof *actions);
    if (action >= 0) {
        fault->action = (enum emu_action)action;
        *acted = true;
        return !value || read_number(value, action == EMU_ERROR ? 16 : 10, &fault->value);
    }
    if (!value) {
        if (!read_number(word, 16, &number) || number > 0xFF)
            return false;
        fault->type = (uint8_t)number;
        return true;
    }
    if (strcmp(word, "count") == 0 && strcmp(value, "always") == 0) {
        fault->count = EMU_ALWAYS;
        return true;
    }
    if (!read_number(value, 10, &number))
        return false;
    if (strcmp(word, "slot") == 0)
        fault->slot = (int)number;
    else if (strcmp(word, "nth") == 0)
        fault->nth = number;
    else if (strcmp(word, "count") == 0)
        fault->count = number;
    else
        return false;
    return true;
}

int emu_fault_parse(const char *text, struct emu_fault *ret_fault)
{
    struct emu_fault fault = {.slot = -1};
    char copy[256], *rest, *word;
    bool acted = false;
    int where;

    if ((size_t)snprintf(copy, sizeof copy, "%s", text) >= sizeof copy)
        return detail_set(RC_INVALID_VALUE, "fault rule too long");
    word = strtok_r(copy, " ", &rest);
    where = word ? find(word, wheres, sizeof wheres / sizeof *wheres) : -1;
    if (where < 0)
        return detail_set(RC_INVALID_VALUE,
                          "fault rule \"%s\" begins with none of out, in, interrupt, control", text);
    fault.where = (enum emu_where)where;
    while ((word = strtok_r(NULL, " ", &rest)))
        if (!read_word(word, &fault, &acted))
            return detail_set(RC_INVALID_VALUE, "fault rule \"%s\": \"%s\" is not understood", text, word);
    if (!acted)
        return detail_set(RC_INVALID_VALUE, "fault rule \"%s\" does not say what happens", text);
    *ret_fault = fault;
    return RC_OK;
}

int emu_fault_add(struct list *rules, const struct emu_fault *fault)
{
    struct rule *rule = calloc(1, sizeof *rule);

    if (!rule)
        return RC_NO_MEMORY;
    rule->fault = *fault;
    rule->fault.nth += !fault->nth;
    rule->fault.count += !fault->count;
    list_append(rules, &rule->node);
    return RC_OK;
}

static void drop(struct rule *rule)
{
    list_remove(&rule->node);
    free(rule);
}

void emu_fault_clear(struct list *rules)
{
    list_each(node, rules) drop(list_entry(node, struct rule, node));
}

static bool is_about(const struct emu_fault *fault, enum emu_where where, uint8_t type, uint8_t answer,
                     unsigned slot)
{
    return fault->where == where && (!fault->type || fault->type == type || fault->type == answer) &&
           (fault->slot < 0 || (unsigned)fault->slot == slot);
}

bool emu_fault_take(struct list *rules, enum emu_where where, uint8_t type, uint8_t answer, unsigned slot,
                    struct emu_fault *ret_fault)
{
    bool taken = false;

    list_each(node, rules)
    {
        struct rule *rule = list_entry(node, struct rule, node);

        if (!is_about(&rule->fault, where, type, answer, slot) || ++rule->seen < rule->fault.nth || taken)
            continue;
        *ret_fault = rule->fault;
        taken = true;
        if (rule->fault.count != EMU_ALWAYS && !--rule->fault.count)
            drop(rule);
    }
    return taken;
}
