/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parameters of MAIL, RCPT and XFORWARD: keyword=value, parted by blanks.
 */
#ifndef SMTPROUTE_PARAMETER_H
#define SMTPROUTE_PARAMETER_H

#include <glib.h>

#include "lmtp/request.h"

/*
 * Of a value.  RFC 3461 has 100 for ENVID (section 4.4) and 500 for ORCPT
 * (section 4.2), before xtext makes three octets of one.
 */
#define PARAMETER_MAX 1500

/*
 * Takes those of @request->verb from @text into @request.  FALSE: *refusal
 * says why.
 */
gboolean
parameters_parse(struct lmtp_request *request, const char *text,
    struct lmtp_refusal *refusal);

/* Is @word, of @length octets, the @known one, in any case? */
gboolean
lmtp_word_is(const char *known, const char *word, gsize length);

/* Sets *refusal.  FALSE, for the caller to return. */
gboolean
lmtp_refuse(struct lmtp_refusal *refusal, int code, const char *text);

#endif
