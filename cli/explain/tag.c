/* SPDX-License-Identifier: MIT */
#include "cli/explain/tag.h"

#include "cli/explain/tag_table.h"

static const struct tag_fact *table_of(enum explain_context context)
{
    switch (context) {
    case EXPLAIN_EMV:
        return tags_emv;
    case EXPLAIN_GP:
        return tags_gp;
    case EXPLAIN_SIM:
        return tags_sim;
    case EXPLAIN_PIV:
        return tags_piv;
    case EXPLAIN_OPENPGP:
        return tags_openpgp;
    case EXPLAIN_OATH:
        return tags_oath;
    case EXPLAIN_EMRTD:
        return tags_emrtd;
    default:
        return tags_iso;
    }
}

/* The three templates of a file hold the same objects (ISO 7816-4:2013, 7.4.2). */
static uint32_t same_parent(uint32_t parent)
{
    return parent == 0x6F || parent == 0x64 ? 0x62 : parent;
}

/* Of rows for the same tag the one of that parent, else one that holds anywhere. */
static const struct tag_fact *find(const struct tag_fact *table, uint32_t tag, uint32_t parent)
{
    const struct tag_fact *anywhere = NULL;

    for (; table->name; table++) {
        if (table->tag != tag)
            continue;
        if (parent && table->parent == parent)
            return table;
        if (!table->parent && !anywhere)
            anywhere = table;
    }
    return anywhere;
}

const struct tag_fact *explain_tag_fact(uint32_t tag, uint32_t parent, enum explain_context context)
{
    const struct tag_fact *own, *iso;

    parent = same_parent(parent);
    own = find(table_of(context), tag, parent);
    iso = find(tags_iso, tag, parent);
    /* What ISO has for this very parent is nearer than what the application has anywhere. */
    return !own || (iso && iso->parent && !own->parent) ? iso : own;
}

const char *explain_tag(uint32_t tag, enum explain_context context)
{
    const struct tag_fact *table = table_of(context);

    for (int round = 0; round < 2; round++, table = tags_iso) {
        const struct tag_fact *fact = find(table, tag, 0);

        for (; !fact && table->name; table++)
            if (table->tag == tag)
                fact = table;
        if (fact)
            return fact->name;
    }
    return NULL;
}
