/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole sessions: libESMTP on one side, a host that follows a script on the
 * other.
 */
#ifndef SMTPROUTE_TRIAL_H
#define SMTPROUTE_TRIAL_H

#include <glib.h>

#include "smtp/wire.h"
#include "unit/scripted.h"

/* Of the user's. */
#define SECRET "geheim77"

/* Of a message of seven bits, with CRLF. */
#define SIZE "17"

enum with {
	WITH_NOTHING = 0,
	WITH_PARTIAL = 1 << 0,
	WITH_KEEP = 1 << 1,
	WITH_EIGHT = 1 << 2, /* bits in the message */
	WITH_PASSWORD = 1 << 3,
	WITH_TOKEN = 1 << 4,
	WITH_IN_CLEAR = 1 << 5,
	WITHOUT_CRAM_MD5 = 1 << 6,
	WITH_TLS = 1 << 7, /* a must */
	WITH_TLS_MAY = 1 << 8,
	WITH_TRANSCRIPT = 1 << 9,
	WITHOUT_SIZE = 1 << 10, /* though it is offered */
	WITHOUT_ROOM = 1 << 11, /* in the host's rate */
};

/* What came of it: texts, divided by ";". */
struct trial {
	struct scripted host;
	struct wire *wire;
	struct wire_again again;
	GString *told;
	GString *outcomes;
};

void
trial_make(struct trial *trial, const char *script);

/* One message over the wire, @with flags, to @count recipients. */
void
trial_send(struct trial *trial, guint with, guint count);

/* Closes the wire, and waits for the host. */
void
trial_end(struct trial *trial);

void
trial_clear(struct trial *trial);

/* What hosts say, and hear. */
#define HI               "220 b|250 b|"
#define EHLO             "EHLO"
#define MAIL             ";MAIL FROM:<me@a.example>"
#define RCPT             ";RCPT"
#define DATA             ";DATA"
#define DOT              ";."
#define QUIT             ";QUIT"
#define HELD             "H- not sent, since another recipient was refused"
#define NO               "550 5.1.1 no"
#define NO_R             "Br " NO " (in reply to RCPT TO)"
#define TOLD             "greeted;begun;accepted"
#define PIPED            "220 b|250-b\n250 PIPELINING|"
#define AUTH(mechanisms) "220 b|250-b\n250 AUTH " mechanisms "|"
#define ALL              MAIL RCPT DATA DOT QUIT
#define OK               "250 o|250 o|354 o|250 2.0.0 Ok|221 o"
#define SENT             "D- 250 2.0.0 Ok"

/* A session with one message. */
struct trial_row {
	const char *says;
	guint with;
	guint recipients;
	const char *script;
	const char *heard;
	const char *outcomes;
	const char *told;
};

/* For TABLE_ADD(). */
void
trial_test_row(gconstpointer data);

/* g_test_init(), and what all sessions need. */
void
trial_init(int *argc, char ***argv);

#endif
