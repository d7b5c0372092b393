/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stages of an interview: each is timed, said in a line or as an object,
 * and may turn out to be trouble.
 */
#ifndef SMTPROUTE_CTL_STAGE_H
#define SMTPROUTE_CTL_STAGE_H

#include "agent/security.h"
#include "ctl/ctl.h"
#include "ctl/document.h"
#include "smtp/dialogue.h"
#include "smtp/offer.h"

/*
 * What a host has heard it may say again: our secrets are masked in all that
 * is said of a stage, and in its trouble.
 */

/* As much of a text as is shown on a line. */
#define STAGE_SHOWN 200

/* Where what is said below a stage's line begins, and where it has to end. */
#define STAGE_INDENT "                           "
#define STAGE_WIDTH  79

/*
 * No wait for a host is longer: RFC 5321 section 4.5.3.2 has 5 minutes, but a
 * person is waiting.
 */
#define STAGE_SPAN (60 * G_TIME_SPAN_SECOND)

struct interview {
	const struct ctl *ctl;
	const struct settings *settings;
	const struct candidate *candidate;
	const char *helo_name;
	struct security security;
	struct timeouts timeouts; /* the settings', or STAGE_SPAN */
	struct dialogue dialogue; /* over: nothing more is to be said */
	struct outcome outcome;   /* of the dialogue, if it has failed */
	struct offer offer;       /* of the last EHLO */
	const char *stage;
	gint64 begun;   /* of the stage */
	json_t *stages; /* an array, in place of lines; NULL: lines */
	char *trouble;  /* why it would not take mail; NULL: it would */
	gboolean works; /* it would, whatever it says to QUIT */
	gboolean again; /* without TLS, on a new connection */
};

void
stage_begin(struct interview *interview, const char *stage);

/* Its line, with the time that it took. */
void
stage_say(const struct interview *interview, const char *text);

/* A stage that is left out: a line without a time. */
void
stage_skip(struct interview *interview, const char *stage, const char *text);

/*
 * More about the stage, on lines below its own: @text, which need not be
 * printable, is broken behind commas and at blanks.  @label: NULL: none.
 */
void
stage_below(const struct interview *interview, const char *label,
    const char *text);

/* A keyword of EHLO's, which is masked, as an object has it; not as lines. */
void
stage_add_keyword(const struct interview *interview, const char *keyword);

/* The host would not get mail; the first trouble counts. */
void
stage_trouble(struct interview *interview, const char *what);

/* The stage's line says what went wrong, and the dialogue is over. */
void
stage_fail(struct interview *interview, const char *what);

/* The same with what the dialogue's outcome says. */
void
stage_fail_outcome(struct interview *interview);

/* "250 2.1.0 ok": a reply's first line, printable.  A new string. */
char *
stage_line(const struct reply *reply);

/* Says @reply; NULL: the stage has failed, and the dialogue's outcome is why.
 */
struct reply *
stage_take(struct interview *interview, struct reply *reply);

/* The next reply, which is said; NULL: the stage has failed. */
struct reply *
stage_await(struct interview *interview, enum stage stage);

/* A new stage, called @name, with a command; otherwise the same. */
struct reply *
stage_ask(struct interview *interview, const char *name, enum stage stage,
    const char *command);

/* May a delivery go on after this reply?  @reply: NULL: there is none. */
gboolean
stage_accept(struct interview *interview, enum stage stage,
    const struct reply *reply);

#endif
