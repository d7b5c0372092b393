/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Postfix has to be told when the text of the route map was changed.
 */
#ifndef SMTPROUTE_CTL_EDIT_TELL_POSTFIX_H
#define SMTPROUTE_CTL_EDIT_TELL_POSTFIX_H

#include <glib.h>

/* Have keys come or gone, as Postfix sees them? */
gboolean
tell_postfix_keys_differ(const char *a, gsize a_length, const char *b,
    gsize b_length);

/*
 * Has the index of the route map @routes made anew, if it has one, and Postfix
 * reload, if it has read the keys of this text for good and @keys_differ.
 * FALSE: complain() has said what is left to do.
 */
gboolean
tell_postfix(const char *routes, gboolean keys_differ);

#endif
