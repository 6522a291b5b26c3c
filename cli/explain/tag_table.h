/* SPDX-License-Identifier: MIT */
/* The tables of tag.c, one for each context; ended by name NULL. */
#ifndef CLI_EXPLAIN_TAG_TABLE_H
#define CLI_EXPLAIN_TAG_TABLE_H

#include "cli/explain/tag.h"

extern const struct tag_fact tags_iso[], tags_emv[], tags_gp[], tags_sim[], tags_piv[], tags_openpgp[],
    tags_oath[], tags_emrtd[];

#endif
