/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An interview: the dialogue with one address as far as a delivery could go
 * without mail, said line by line as it happens, or put into a document.
 */
#ifndef SMTPROUTE_CTL_INTERVIEW_H
#define SMTPROUTE_CTL_INTERVIEW_H

#include "agent/plan.h"
#include "ctl/ctl.h"
#include "ctl/document.h"

/*
 * Connects, reads the greeting, says EHLO (or HELO), begins TLS and
 * authenticates itself as a delivery would, says MAIL FROM:<>, RSET and QUIT.
 * TRUE: it would take mail.  @to: an object for what it would say; NULL: it
 * says it.
 */
gboolean
interview(const struct ctl *ctl, const struct settings *settings,
    const struct candidate *candidate, const char *helo_name, json_t *to);

#endif
