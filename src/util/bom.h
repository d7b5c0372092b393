/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The byte order mark that some editors put before text in UTF-8 (RFC 3629
 * section 6).  It is no part of the text.
 */
#ifndef SMTPROUTE_BOM_H
#define SMTPROUTE_BOM_H

#include <string.h>

#include <glib.h>

/* How long the one at @text is, 0: there is none. */
static inline gsize
bom_length(const char *text, gsize length)
{
	static const char mark[] = "\357\273\277";
	gsize size = strlen(mark);

	return length >= size && memcmp(text, mark, size) == 0 ? size : 0;
}

#endif
