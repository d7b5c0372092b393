/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a dialogue: QUIT, and whether a refusal may have been an echo.
 */
#ifndef SMTPROUTE_FAREWELL_H
#define SMTPROUTE_FAREWELL_H

#include "smtp/dialogue.h"

/*
 * Sends @command, which is QUIT with its CRLF.  Nobody waits for what a host
 * says to it, as in Postfix's smtp(8), unless a bounce depends on it.
 */
void
farewell_say(struct dialogue *dialogue, const char *command);

#endif
