/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The copy that goes into the editor, in a folder of its own that nobody else
 * can look into: what editors leave beside it goes with it.
 */
#ifndef SMTPROUTE_CTL_EDIT_DRAFT_H
#define SMTPROUTE_CTL_EDIT_DRAFT_H

#include <glib.h>

struct draft {
	char *folder;
	char *path;
	gboolean keep; /* is it to stay, when this is freed? */
};

/* NULL: complain() has said why. */
struct draft *
draft_new(const char *text, gsize length);

/*
 * Runs the editor: $VISUAL, $EDITOR, or the system's, with the terminal that
 * this process has.  FALSE: complain() has said why.
 */
gboolean
draft_edit(const struct draft *draft);

/* What it holds now, a new string.  NULL: complain() has said why. */
char *
draft_read(const struct draft *draft, gsize *ret_length);

void
draft_free(struct draft *draft);

/* For g_autoptr(), which wants one word. */
typedef struct draft Draft;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Draft, draft_free)

#endif
