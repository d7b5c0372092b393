/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the targets of libFuzzer share.  A target is a parser and what has to
 * be true of all that it takes or refuses; g_assert() says that it is not.
 */
#ifndef SMTPROUTE_T_FUZZ_H
#define SMTPROUTE_T_FUZZ_H

#include <string.h>

#include <glib.h>

/* libFuzzer calls it. */
int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

/* What a log takes as it is. */
static inline void
fuzz_assert_line(const char *text)
{
	g_assert_nonnull(text);
	for (; *text != '\0'; text++)
		g_assert_true(g_ascii_isprint(*text));
}

/* A refusal says why, in one line. */
static inline void
fuzz_assert_error(const GError *error)
{
	g_assert_nonnull(error);
	g_assert_cmpstr(error->message, !=, "");
	fuzz_assert_line(error->message);
}

/* The input as a string, which ends at its first NUL. */
static inline char *
fuzz_string(const guint8 *data, gsize size)
{
	return g_strndup((const char *)data, size);
}

#endif
