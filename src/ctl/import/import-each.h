/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A text piece by piece, to a reader of its format.
 */
#ifndef SMTPROUTE_CTL_IMPORT_EACH_H
#define SMTPROUTE_CTL_IMPORT_EACH_H

#include "ctl/import/import-entry.h"
#include "ctl/import/import-text.h"

/* Every line but the empty ones and those that begin with '#'. */
void
import_each_line(struct import *import, const char *text, gsize length,
    void (*read_line)(struct import *import, struct import_text *line));

/*
 * Every entry of a text in the form of maptext.h; reports the lines that say
 * something and belong to none.
 */
void
import_each_entry(struct import *import, const char *text, gsize length,
    void (
	*read_entry)(struct import *import, const struct maptext_entry *entry));

#endif
