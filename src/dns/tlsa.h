/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLSA records (RFC 6698), for DANE as SMTP does it (RFC 7672).
 */
#ifndef SMTPROUTE_TLSA_H
#define SMTPROUTE_TLSA_H

#include <glib.h>

#include "dns/resolve.h"

/* Of one host and port; more is not honest. */
#define TLSA_MAX 64

/* Of one record: a whole certificate or key at the most. */
#define TLSA_DATA_MAX 8192

/* RFC 7672 section 3.1 has these usages, and no others, for SMTP. */
enum tlsa_usage {
	TLSA_DANE_TA = 2,
	TLSA_DANE_EE = 3,
};

struct tlsa {
	guint8 usage;
	guint8 selector;
	guint8 matching;
	GBytes *data;
};

struct tlsa_set {
	gboolean any;        /* there were some, usable or not */
	gboolean secure;     /* the answer had the AD bit */
	GPtrArray *records;  /* of struct tlsa; of usages for SMTP only */
	const char *absence; /* why there are none, or else that OpenSSL can use
			      * none, for the log */
};

/*
 * The records of @host (a name) and @port.  Only answers that a validating
 * resolver vouches for (the AD bit) count, and it is believed if all of the
 * resolver's servers are on this machine, or @trust_ad says so.
 *
 * Returns a new set, empty if there are none; or NULL with RESOLVE_ERROR: no
 * answer, or a bogus one, and nobody knows whether there are any.
 */
struct tlsa_set *
tlsa_resolve(struct resolver *resolver, const char *host, guint16 port,
    gboolean trust_ad, gint64 deadline, GError **error);

/*
 * Adds the records for SMTP of a DNS message of @length bytes, an answer to
 * the question for them; @set->absence says why if there are none.  FALSE: it
 * is malformed, or no answer.
 */
gboolean
tlsa_parse(struct tlsa_set *set, const unsigned char *answer, gsize length);

struct tlsa_set *
tlsa_set_new(void);

void
tlsa_set_free(struct tlsa_set *set);

/* For g_autoptr(), which wants one word. */
typedef struct tlsa_set TlsaSet;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsaSet, tlsa_set_free)

#endif
