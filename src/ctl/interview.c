/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "attempt.h"
#include "autofd.h"
#include "ctl/interview.h"
#include "ctl/paint.h"
#include "deadline.h"
#include "dial.h"
#include "outcome.h"
#include "peer.h"
#include "printable.h"

/* Nothing depends on what a host says to QUIT. */
#define QUIT_SPAN (5 * G_TIME_SPAN_SECOND)

/* For the rest of a reply that nobody asked for. */
#define OUT_OF_TURN_SPAN G_TIME_SPAN_SECOND

/* As much of a reply's line as is shown, and of one keyword. */
#define LINE_SHOWN    200
#define KEYWORD_SHOWN 60

/* Where keywords begin, as the replies above them do, and have to end. */
#define INDENT "                           "
#define WIDTH  79

/* Of all keywords: an honest host has some twenty. */
#define KEYWORDS_MAX 100

struct interview {
	const struct ctl *ctl;
	const struct candidate *candidate;
	const char *helo_name;
	struct peer *peer;
	const char *stage;
	gint64 begun;    /* of the stage */
	char *trouble;   /* why it would not take mail; NULL: it would */
	gboolean silent; /* nothing more is to be said to it */
};

static void
begin_stage(struct interview *interview, const char *stage)
{
	interview->stage = stage;
	interview->begun = g_get_monotonic_time();
}

static void
say_stage(const struct interview *interview, const char *text)
{
	gint64 span = g_get_monotonic_time() - interview->begun;

	say("    %-8s %9.1f ms%s%s\n", interview->stage, (double)span / 1000,
	    text[0] != '\0' ? "  " : "", text);
	/* What follows may take its time. */
	say_flush();
}

/* The first trouble counts. */
static void
set_trouble(struct interview *interview, const char *what)
{
	if (interview->trouble == NULL)
		interview->trouble =
		    g_strdup_printf("%s: %s", interview->stage, what);
}

/* There is no reply, and no more dialogue. */
static void
fail(struct interview *interview, const char *what)
{
	g_autofree char *shown = printable(what, LINE_SHOWN);

	say_stage(interview, shown);
	set_trouble(interview, shown);
	interview->silent = TRUE;
}

static gint64
limit(gint64 span)
{
	return MIN(span, INTERVIEW_SPAN);
}

static void
fail_error(struct interview *interview, const GError *error, gint64 span)
{
	g_autofree char *late = NULL;

	if (g_error_matches(error, PEER_ERROR, PEER_ERROR_TIMEOUT) ||
	    g_error_matches(error, DIAL_ERROR, DIAL_ERROR_TIMEOUT))
		late = deadline_passed(span, G_MAXINT64);
	fail(interview, late != NULL ? late : error->message);
}

/* "250 2.1.0 ok": a reply's first line, printable.  A new string. */
static char *
first_line(const struct reply *reply)
{
	const char *text = g_ptr_array_index(reply->lines, 0);
	g_autofree char *line = g_strdup_printf("%d %s", reply->code, text);

	return g_strchomp(printable(line, LINE_SHOWN));
}

/* NULL: it has failed. */
static struct reply *
await_reply(struct interview *interview, gint64 span)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *line = NULL;
	struct reply *reply =
	    peer_reply(interview->peer, deadline_in(span), &error);

	if (reply == NULL) {
		fail_error(interview, error, span);
		return NULL;
	}
	line = first_line(reply);
	say_stage(interview, line);
	return reply;
}

/* As wire.c: after it nobody knows which reply belongs to which command. */
static void
fail_out_of_turn(struct interview *interview)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Reply) reply =
	    peer_reply(interview->peer, deadline_in(OUT_OF_TURN_SPAN), &error);
	g_autofree char *line = NULL;
	g_autofree char *what = NULL;

	if (reply != NULL)
		line = first_line(reply);
	if (reply != NULL && reply->code != 421)
		what = g_strdup_printf("reply out of turn: %s", line);
	else if (g_error_matches(error, PEER_ERROR, PEER_ERROR_TIMEOUT))
		what = g_strdup("reply out of turn");
	fail(interview,
	    what != NULL       ? what
		: line != NULL ? line
			       : error->message);
}

/* NULL: it has failed. */
static struct reply *
ask(struct interview *interview, const char *stage, const char *command)
{
	gint64 span = limit(interview->candidate->settings.timeouts.command);
	g_autoptr(GError) error = NULL;

	begin_stage(interview, stage);
	if (peer_has_spoken(interview->peer)) {
		fail_out_of_turn(interview);
		return NULL;
	}
	if (!peer_send(interview->peer, command, strlen(command),
		deadline_in(span), &error)) {
		fail_error(interview, error, span);
		return NULL;
	}
	return await_reply(interview, span);
}

/* May a delivery go on after this reply?  @reply: NULL: there is none. */
static gboolean
is_accepted(struct interview *interview, enum stage stage,
    const struct reply *reply)
{
	g_autofree char *line = NULL;

	if (reply == NULL)
		return FALSE;
	if (outcome_is_success(stage, reply))
		return TRUE;
	line = first_line(reply);
	set_trouble(interview, line);
	/* It closes (RFC 5321 section 3.8). */
	interview->silent |= reply->code == 421;
	return FALSE;
}

static void
say_keywords(const struct reply *reply)
{
	guint count = MIN(reply->lines->len, KEYWORDS_MAX + 1);
	gsize column = 0;

	for (guint i = 1; i < count; i++) {
		const char *line = g_ptr_array_index(reply->lines, i);
		g_autofree char *keyword = printable(line, KEYWORD_SHOWN);
		gsize length = strlen(keyword) + (i + 1 < count ? 1 : 0);

		if (column == 0 || column + 1 + length > WIDTH) {
			say("%s" INDENT, column == 0 ? "" : "\n");
			column = strlen(INDENT);
		} else {
			say(" ");
			column++;
		}
		say("%s%s", keyword, i + 1 < count ? "," : "");
		column += length;
	}
	if (column > 0)
		say("%s\n", count < reply->lines->len ? ", ..." : "");
}

static gboolean
say_hello(struct interview *interview)
{
	const char *name = interview->helo_name;
	g_autofree char *ehlo = g_strdup_printf("EHLO %s\r\n", name);
	g_autofree char *helo = g_strdup_printf("HELO %s\r\n", name);
	g_autoptr(Reply) reply = ask(interview, "EHLO", ehlo);
	g_autoptr(Reply) again = NULL;

	if (reply != NULL && outcome_asks_for_helo(reply)) {
		again = ask(interview, "HELO", helo);
		return is_accepted(interview, STAGE_HELO, again);
	}
	if (!is_accepted(interview, STAGE_EHLO, reply))
		return FALSE;
	say_keywords(reply);
	return TRUE;
}

/* Nothing in a delivery says RSET: that it is refused is no trouble. */
static void
reset(struct interview *interview)
{
	g_autoptr(Reply) reply = ask(interview, "RSET", "RSET\r\n");

	if (reply != NULL && reply->code == 421)
		is_accepted(interview, STAGE_MAIL, reply);
}

static void
talk(struct interview *interview)
{
	gint64 span = limit(interview->candidate->settings.timeouts.greeting);
	g_autoptr(Reply) greeting = NULL;
	g_autoptr(Reply) mail = NULL;

	begin_stage(interview, "greeting");
	greeting = await_reply(interview, span);
	if (!is_accepted(interview, STAGE_GREETING, greeting) ||
	    !say_hello(interview) || interview->trouble != NULL)
		return;
	mail = ask(interview, "MAIL", "MAIL FROM:<>\r\n");
	if (is_accepted(interview, STAGE_MAIL, mail))
		reset(interview);
}

/* Whatever it says to that, the result stands. */
static void
quit(struct interview *interview)
{
	static const char command[] = "QUIT\r\n";
	g_autoptr(Reply) reply = NULL;

	begin_stage(interview, "QUIT");
	if (peer_send(interview->peer, command, strlen(command),
		deadline_in(QUIT_SPAN), NULL))
		reply = await_reply(interview, QUIT_SPAN);
}

/* -1: it has failed. */
static int
connect_to(struct interview *interview)
{
	const struct candidate *candidate = interview->candidate;
	gint64 span = limit(candidate->settings.timeouts.connect);
	const char *bind = candidate->settings.bind;
	g_autoptr(GError) error = NULL;
	struct endpoint from;
	gboolean bound = bind != NULL && endpoint_parse(bind, 0, &from);
	int fd;

	begin_stage(interview, "connect");
	fd = dial(&candidate->endpoint, bound ? &from : NULL, deadline_in(span),
	    &error);
	if (fd < 0)
		fail_error(interview, error, span);
	else
		say_stage(interview, "");
	return fd;
}

/* As the agent, which would not even connect; but to look is safe. */
static void
note_beyond_us(struct interview *interview)
{
	struct outcome outcome = {0};

	if (attempt_is_beyond_us(interview->candidate, &outcome))
		interview->trouble = g_strdup(outcome.text);
	outcome_clear(&outcome);
}

static void
say_result(const struct interview *interview, gboolean works)
{
	const struct ctl *ctl = interview->ctl;

	say("    result    %s%s%s%s%s\n",
	    paint(ctl, works ? PAINT_GOOD : PAINT_BAD),
	    works ? "works" : "does not work", paint(ctl, PAINT_END),
	    works ? "" : ": ", works ? "" : interview->trouble);
}

gboolean
interview(const struct ctl *ctl, const struct candidate *candidate,
    const char *helo_name)
{
	struct interview state = {
	    .ctl = ctl,
	    .candidate = candidate,
	    .helo_name = helo_name,
	};
	g_autofree char *name = attempt_peer(candidate);
	autofd fd = -1;
	gboolean works;

	say("%s%s%s\n", paint(ctl, PAINT_TITLE), name, paint(ctl, PAINT_END));
	note_beyond_us(&state);
	fd = connect_to(&state);
	/* It waits for TLS, and would say nothing. */
	if (fd >= 0 && candidate->settings.tls != TLS_WRAPPER) {
		g_autoptr(Peer) peer = peer_new(fd);

		state.peer = peer;
		talk(&state);
		works = state.trouble == NULL;
		if (!state.silent)
			quit(&state);
	} else {
		works = FALSE;
	}
	say_result(&state, works);
	g_free(state.trouble);
	return works;
}
