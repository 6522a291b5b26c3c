/* SPDX-License-Identifier: MIT */
/* explain_tlv, explain_is_tlv, explain_data */
#include "iso/tlv.h"

#include <stdio.h>

#include "cli/explain/bytes.h"
#include "cli/explain/tag.h"

/* No card nests that deep: of a thousand levels somebody made, the first are shown. */
#define LEVELS 16

static bool is_well_formed(const uint8_t *bytes, size_t length)
{
    struct bytes in = bytes_of(bytes, length);
    struct tlv tlv;
    int rc;

    while ((rc = tlv_next(&in, &tlv)) > 0)
        ;
    return rc == 0;
}

static bool descends(const struct tlv *tlv, enum tag_value value, unsigned level)
{
    if (level >= LEVELS || !tlv->length)
        return false;
    if (value != TAG_OBJECTS && !(value == TAG_PLAIN && tlv->constructed))
        return false;
    return is_well_formed(tlv->value, tlv->length);
}

static void add_objects(const uint8_t *bytes, size_t length, uint32_t parent, enum explain_context context,
                        size_t base, unsigned depth, unsigned level, struct explanation *out);

static void add_object(const struct tlv *tlv, uint32_t parent, enum explain_context context, size_t base,
                       unsigned depth, unsigned level, struct explanation *out)
{
    const struct tag_fact *fact = explain_tag_fact(tlv->tag, parent, context);
    enum tag_value value = fact ? fact->value : TAG_PLAIN;
    const char *name = fact ? fact->name : "";
    char label[8];

    (void)snprintf(label, sizeof label, "%02X", tlv->tag);
    if (descends(tlv, value, level)) {
        explanation_add(out, depth, base, 0, label, "%s%s%zu bytes", name, *name ? ", " : "", tlv->length);
        add_objects(tlv->value, tlv->length, tlv->tag, context, base, depth + 1, level + 1, out);
        return;
    }
    explanation_add(out, depth, base, tlv->length, label, "%s", name);
    if (!tlv->length)
        explanation_more(out, "%sempty", *name ? ", " : "");
    explain_value(tlv->value, tlv->length, value, context, out);
}

static void add_objects(const uint8_t *bytes, size_t length, uint32_t parent, enum explain_context context,
                        size_t base, unsigned depth, unsigned level, struct explanation *out)
{
    struct bytes in = bytes_of(bytes, length);
    struct tlv tlv;
    size_t from;
    int rc;

    for (;;) {
        from = (size_t)(in.at - bytes);
        rc = tlv_next(&in, &tlv);
        if (rc <= 0)
            break;
        add_object(&tlv, parent, context, base + (size_t)(tlv.value - bytes), depth, level, out);
    }
    if (rc < 0)
        explanation_add(out, depth, base + from, length - from, "?",
                        "no data object: cut off, or its length is wrong");
    else if (from < length)
        explanation_add(out, depth, base + from, length - from, "", "padding");
}

void explain_tlv(const uint8_t *bytes, size_t length, uint32_t parent, enum explain_context context,
                 size_t base, unsigned depth, struct explanation *out)
{
    add_objects(bytes, length, parent, context, base, depth, 0, out);
}

static bool is_known(uint32_t tag)
{
    for (int context = EXPLAIN_ISO; context < EXPLAIN_CONTEXTS; context++)
        if (explain_tag(tag, (enum explain_context)context))
            return true;
    return false;
}

bool explain_is_tlv(const uint8_t *bytes, size_t length)
{
    struct bytes in = bytes_of(bytes, length);
    struct tlv tlv;

    if (length < 3 || bytes[0] == 0x00 || bytes[0] == 0xFF || !is_well_formed(bytes, length) ||
        tlv_next(&in, &tlv) <= 0)
        return false;
    /* Letters are objects by chance, too: "SCARD" has one of 67 bytes. */
    if (tlv.constructed && tlv.length > 1 && is_well_formed(tlv.value, tlv.length))
        return true;
    return is_known(tlv.tag) && tlv.length;
}

enum explain_context explain_context_of_objects(const uint8_t *bytes, size_t length)
{
    struct tlv file, name;

    if (tlv_find(bytes, length, 0x6F, &file) <= 0 && tlv_find(bytes, length, 0x62, &file) <= 0)
        return EXPLAIN_ISO;
    return tlv_find(file.value, file.length, 0x84, &name) > 0
               ? explain_context_of_aid(name.value, name.length)
               : EXPLAIN_ISO;
}

void explain_data(const uint8_t *bytes, size_t length, enum explain_context context, size_t base,
                  unsigned depth, struct explanation *out)
{
    if (explain_is_tlv(bytes, length)) {
        explanation_add(out, depth, base, 0, "data", "%zu bytes of data objects", length);
        explain_tlv(bytes, length, 0, context, base, depth + 1, out);
        return;
    }
    explanation_add(out, depth, base, length, "data", "%zu byte%s", length, length == 1 ? "" : "s");
    explain_value(bytes, length, TAG_PLAIN, context, out);
}
