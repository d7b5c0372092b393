/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <ares.h>

#include "dns/answer.h"

/* Of the fourth byte of a header (RFC 4035 section 3.2.3). */
#define FLAGS_LOW  3
#define FLAG_AD    0x20
#define MASK_RCODE 0x0f

int
answer_status(const unsigned char *bytes, gsize length)
{
	if (length <= FLAGS_LOW)
		return ARES_EBADRESP;
	switch (bytes[FLAGS_LOW] & MASK_RCODE) {
	case ns_r_noerror:
		return ARES_SUCCESS;
	case ns_r_formerr:
		return ARES_EFORMERR;
	case ns_r_servfail:
		return ARES_ESERVFAIL;
	case ns_r_nxdomain:
		return ARES_ENOTFOUND;
	case ns_r_notimpl:
		return ARES_ENOTIMP;
	case ns_r_refused:
		return ARES_EREFUSED;
	default:
		return ARES_EBADRESP;
	}
}

gboolean
answer_is_secure(const unsigned char *bytes, gsize length)
{
	return length > FLAGS_LOW && (bytes[FLAGS_LOW] & FLAG_AD) != 0;
}

gboolean
answer_records(const unsigned char *bytes, gsize length, ns_type type,
    answer_visit visit, void *data)
{
	ns_msg message;
	int status = answer_status(bytes, length);
	int count;

	if (status != ARES_SUCCESS && status != ARES_ENOTFOUND)
		return FALSE;
	if (length > G_MAXINT || ns_initparse(bytes, (int)length, &message) < 0)
		return FALSE;
	/* Our own question, or half an answer. */
	if (!ns_msg_getflag(message, ns_f_qr) ||
	    ns_msg_getflag(message, ns_f_tc))
		return FALSE;
	count = ns_msg_count(message, ns_s_an);
	for (int i = 0; i < count; i++) {
		ns_rr record;

		if (ns_parserr(&message, ns_s_an, i, &record) < 0)
			return FALSE;
		if (ns_rr_type(record) == type &&
		    ns_rr_class(record) == ns_c_in &&
		    !visit(&message, &record, data))
			return FALSE;
	}
	return TRUE;
}
