/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a format of route tables is to the command: a name, its keys, a reader.
 */
#ifndef SMTPROUTE_CTL_IMPORT_FORMAT_H
#define SMTPROUTE_CTL_IMPORT_FORMAT_H

#include <glib.h>

struct import;

/* What a format says of a line, by its looks. */
enum import_claim {
	CLAIM_NO,
	CLAIM_MAYBE,
	CLAIM_SURE, /* no other format has such lines */
};

struct import_format {
	const char *name;
	const char *any;    /* its key for everything else */
	const char *keys;   /* what is expected of a key, for messages */
	gboolean last_wins; /* of equal keys; otherwise the first does */
	gboolean lenient;   /* of "any" in lower case, and final dots */
	enum import_claim (*claim)(const char *head, const char *rest);
	void (*read)(struct import *import, const char *text, gsize length);
};

#endif
