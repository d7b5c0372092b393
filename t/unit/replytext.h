/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reply from the text that a host would send.
 */
#ifndef SMTPROUTE_REPLYTEXT_H
#define SMTPROUTE_REPLYTEXT_H

#include "smtp/reply.h"

/* Of one line, without its end.  What is no reply fails the test. */
struct reply *
replytext_parse(const char *line);

#endif
