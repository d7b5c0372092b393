/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file of Postfix's configuration, replaced in one step.
 */
#ifndef SMTPROUTE_CTL_REPLACE_H
#define SMTPROUTE_CTL_REPLACE_H

#include <glib.h>

/*
 * Puts @text in the place of the file @path, which still has to have the text
 * @was.  Owner and mode stay, and at no moment can others read it who could
 * not before: postconf(1) makes a new file 0644 and root's, and there may be
 * passwords in main.cf.  Works with its locks (Postfix's global/edit_file.c).
 * FALSE: nothing was changed; *error says why.
 */
gboolean
replace_file(const char *path, GBytes *text, GBytes *was, GError **error);

#endif
