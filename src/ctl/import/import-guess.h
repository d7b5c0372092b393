/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which format is it?
 */
#ifndef SMTPROUTE_CTL_IMPORT_GUESS_H
#define SMTPROUTE_CTL_IMPORT_GUESS_H

#include "ctl/import/import-format.h"

/*
 * The format that a text is in, by its lines; NULL: none, or several would
 * do.  import-guess.c has the rules.
 */
const struct import_format *
import_guess(const char *text, gsize length);

#endif
