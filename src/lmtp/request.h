/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A command of an LMTP client (RFC 2033), in its parts.
 */
#ifndef SMTPROUTE_REQUEST_H
#define SMTPROUTE_REQUEST_H

#include <glib.h>

enum lmtp_verb {
	LMTP_UNKNOWN,
	LMTP_LHLO,
	LMTP_HELO, /* or EHLO, neither of which LMTP has */
	LMTP_MAIL,
	LMTP_RCPT,
	LMTP_DATA,
	LMTP_RSET,
	LMTP_NOOP,
	LMTP_VRFY,
	LMTP_QUIT,
	LMTP_XFORWARD,
};

struct lmtp_request {
	enum lmtp_verb verb;
	char *path; /* of MAIL or RCPT, without < and >; else NULL */
	char *dsn;  /* " RET=... ENVID=..." or " NOTIFY=... ORCPT=...",
		     * as the client wrote them; NULL: none */
	gboolean smtputf8;
	gboolean success; /* NOTIFY has SUCCESS */
	char *ident;      /* XFORWARD's IDENT, decoded; NULL: none */
};

/* Why a command is refused: the code, and the text with its enhanced code. */
struct lmtp_refusal {
	int code;
	const char *text;
};

/*
 * Parses @line.  FALSE: *refusal says why; request->verb is set.  In both
 * cases @request wants lmtp_request_clear().
 */
gboolean
lmtp_request_parse(struct lmtp_request *request, const char *line,
    struct lmtp_refusal *refusal);

void
lmtp_request_clear(struct lmtp_request *request);

#endif
