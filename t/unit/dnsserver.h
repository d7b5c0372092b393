/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A DNS server on a port of 127.0.0.1 that says what it is told to, by UDP and
 * TCP, however wrong.
 */
#ifndef SMTPROUTE_DNSSERVER_H
#define SMTPROUTE_DNSSERVER_H

#include <glib.h>

/* Who waits for an answer that comes, or for one that does not. */
#define DNS_PATIENCE (20 * G_USEC_PER_SEC)
#define DNS_SHORT    (G_USEC_PER_SEC / 5)

/* A header is that long, and the question's name begins behind it. */
#define DNS_HEADER 12

/* The flags of a header, as the 16 bits that they are in. */
enum {
	DNS_QR = 0x8000,
	DNS_TC = 0x0200,
	DNS_RD = 0x0100,
	DNS_RA = 0x0080,
	DNS_AD = 0x0020,
	DNS_OK = DNS_QR | DNS_RD | DNS_RA,
};

enum dns_manner {
	DNS_ANSWER,
	DNS_SILENCE,
	DNS_SLOW,        /* silence, until two seconds after the first */
	DNS_EMPTY,       /* a datagram or a connection without content */
	DNS_NOISE,       /* what is no DNS message, but for its id */
	DNS_OTHER_ID,    /* the answer to another question */
	DNS_OTHER_NAME,  /* to one for another name */
	DNS_NO_QUESTION, /* without the question */
	DNS_CUT,         /* by TCP: less than is announced */
};

struct dns_answer {
	enum dns_manner manner;
	guint16 flags; /* with the response code */
	guint16 count; /* of records, as announced */
	const char *records;
	gsize length;
};

/* A record of the question's name, of class IN. */
#define DNS_RR(type, length, rdata)                                            \
	"\xc0\x0c\0" type "\0\1\0\0\0\x3c" length rdata

/* Initializers of a struct dns_answer. */
#define DNS_SAYS(flags, count, text)                                           \
	{                                                                      \
		DNS_ANSWER, flags, count, text, sizeof(text) - 1               \
	}
#define DNS_RCODE(flags) DNS_SAYS(DNS_OK | (flags), 0, "")

struct dns_server {
	/* Set before the start: what is said of A, of AAAA and of the rest. */
	const struct dns_answer *a;
	const struct dns_answer *aaaa;
	const struct dns_answer *other;
	const struct dns_answer *by_tcp; /* NULL: the same as by UDP */

	/* Set by the start. */
	char *address;     /* for "dns-servers" */
	GByteArray *query; /* the last one; empty: none yet */
	guint asked;       /* how many came by UDP */
	int inherited;     /* descriptors that a program would inherit then */

	/* The room's own. */
	gint64 first; /* when a slow answer was first asked for, or 0 */
	int udp;
	int tcp;
	int stop[2];
	GThread *thread;
};

void
dns_server_start(struct dns_server *server);

/* Also frees what the start has set. */
void
dns_server_stop(struct dns_server *server);

/* Open descriptors without FD_CLOEXEC. */
int
dns_server_inherited(void);

#endif
