/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "agent/attempt.h"
#include "ctl/paint.h"
#include "ctl/probe/interview-tls.h"
#include "ctl/probe/interview.h"
#include "ctl/probe/stage.h"
#include "smtp/dial.h"
#include "util/autofd.h"
#include "util/deadline.h"
#include "util/printable.h"

/* Nothing depends on what a host says to QUIT. */
#define QUIT_SPAN (5 * G_TIME_SPAN_SECOND)

/* As much of a keyword as is shown. */
#define KEYWORD_SHOWN 60

/* Of all keywords: an honest host has some twenty. */
#define KEYWORDS_MAX 100

/* The keyword in line @i of @reply, a new string. */
static char *
keyword_at(const struct interview *interview, const struct reply *reply,
    guint i)
{
	char *keyword =
	    printable(g_ptr_array_index(reply->lines, i), KEYWORD_SHOWN);

	credentials_mask(interview->security.credentials, keyword);
	return keyword;
}

static void
add_keywords(const struct interview *interview, const struct reply *reply)
{
	guint count = MIN(reply->lines->len, KEYWORDS_MAX + 1);

	for (guint i = 1; i < count; i++) {
		g_autofree char *keyword = keyword_at(interview, reply, i);

		stage_add_keyword(interview, keyword);
	}
}

static void
say_keywords(const struct interview *interview, const struct reply *reply)
{
	guint count = MIN(reply->lines->len, KEYWORDS_MAX + 1);
	gsize column = 0;

	for (guint i = 1; i < count; i++) {
		g_autofree char *keyword = keyword_at(interview, reply, i);
		gsize length = strlen(keyword) + (i + 1 < count ? 1 : 0);

		if (column == 0 || column + 1 + length > STAGE_WIDTH) {
			say("%s" STAGE_INDENT, column == 0 ? "" : "\n");
			column = strlen(STAGE_INDENT);
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
	gboolean lmtp = interview->candidate->destination->lmtp;
	const char *hello = lmtp ? "LHLO" : "EHLO";
	g_autofree char *ehlo = g_strdup_printf("%s %s\r\n", hello, name);
	g_autofree char *helo = g_strdup_printf("HELO %s\r\n", name);
	g_autoptr(Reply) reply = NULL;
	g_autoptr(Reply) again = NULL;

	stage_begin(interview, hello);
	reply = dialogue_ask(&interview->dialogue, STAGE_EHLO, ehlo);
	if (reply == NULL && interview_is_rejected(interview))
		return FALSE;
	stage_take(interview, reply);
	if (!lmtp && reply != NULL && outcome_asks_for_helo(reply)) {
		interview->offer = (struct offer){0};
		again = stage_ask(interview, "HELO", STAGE_HELO, helo);
		return stage_accept(interview, STAGE_HELO, again);
	}
	if (!stage_accept(interview, STAGE_EHLO, reply))
		return FALSE;
	if (interview->stages != NULL)
		add_keywords(interview, reply);
	else
		say_keywords(interview, reply);
	interview->offer =
	    offer_parse(reply, interview->candidate->settings.ehlo_ignore);
	return TRUE;
}

/* Nothing in a delivery says RSET: that it is refused is no trouble. */
static void
reset(struct interview *interview)
{
	g_autoptr(Reply) reply =
	    stage_ask(interview, "RSET", STAGE_MAIL, "RSET\r\n");

	if (reply != NULL && reply->code == 421)
		stage_accept(interview, STAGE_MAIL, reply);
}

/* As far as MAIL. */
static gboolean
open_session(struct interview *interview)
{
	g_autoptr(Reply) greeting = NULL;
	gboolean secured;

	if (!interview_wrap(interview))
		return FALSE;
	greeting = interview_greeting(interview);
	if (!stage_accept(interview, STAGE_GREETING, greeting) ||
	    !say_hello(interview) || !interview_starttls(interview, &secured))
		return FALSE;
	/* Nothing learned before TLS counts. */
	if (secured && !say_hello(interview))
		return FALSE;
	return interview_auth(interview);
}

static void
talk(struct interview *interview)
{
	g_autoptr(Reply) mail = NULL;

	if (!open_session(interview) || interview->trouble != NULL)
		return;
	mail = stage_ask(interview, "MAIL", STAGE_MAIL, "MAIL FROM:<>\r\n");
	if (stage_accept(interview, STAGE_MAIL, mail))
		reset(interview);
}

/* Whatever it says to that, the result stands. */
static void
quit(struct interview *interview)
{
	g_autoptr(Reply) reply = NULL;

	stage_begin(interview, "QUIT");
	interview->timeouts.command =
	    MIN(interview->timeouts.command, QUIT_SPAN);
	if (dialogue_send(&interview->dialogue, STAGE_MAIL, "QUIT\r\n"))
		reply = stage_await(interview, STAGE_MAIL);
}

/* -1: it has failed. */
static int
connect_to(struct interview *interview)
{
	const struct candidate *candidate = interview->candidate;
	gint64 span = interview->timeouts.connect;
	const char *bind = candidate->settings.bind;
	g_autoptr(GError) error = NULL;
	g_autofree char *late = NULL;
	struct endpoint from;
	gboolean bound = bind != NULL && endpoint_parse(bind, 0, &from);
	int fd;

	stage_begin(interview, "connect");
	fd = dial(&candidate->endpoint, bound ? &from : NULL, deadline_in(span),
	    &error);
	if (g_error_matches(error, DIAL_ERROR, DIAL_ERROR_TIMEOUT))
		late = deadline_passed(span, G_MAXINT64);
	if (fd < 0)
		stage_fail(interview, late != NULL ? late : error->message);
	else
		stage_say(interview, "");
	return fd;
}

static void
say_result(const struct interview *interview)
{
	const struct ctl *ctl = interview->ctl;
	gboolean works = interview->works;

	say("    result    %s%s%s%s%s\n",
	    paint(ctl, works ? PAINT_GOOD : PAINT_BAD),
	    works ? "works" : "does not work", paint(ctl, PAINT_END),
	    works ? "" : ": ", works ? "" : interview->trouble);
}

static void
set_result(json_t *to, const struct interview *interview)
{
	document_set_flag(to, "works", interview->works);
	document_set_text(to, "trouble",
	    interview->works ? NULL : interview->trouble);
}

/* What a delivery would find out before it connects. */
static void
prepare(struct interview *interview)
{
	struct tls_policy *policy = &interview->security.tls;
	g_autoptr(Resolver) resolver =
	    resolver_new(interview->settings->dns_servers);
	struct outcome outcome = {0};

	if (!security_prepare(&interview->security, interview->settings,
		interview->candidate, resolver, deadline_in(STAGE_SPAN),
		&outcome))
		interview->trouble = g_strdup(outcome.text);
	/*
	 * Whoever it is, a look at the certificate does no harm; but a delivery
	 * that verifies nothing never misses the authorities.
	 */
	policy->examine = policy->ca_file == NULL ||
	    tls_context_check(policy->ca_file, NULL, NULL);
	outcome_clear(&outcome);
}

/* Those that matter before DATA. */
static void
limit_timeouts(struct interview *interview)
{
	struct timeouts *timeouts = &interview->timeouts;

	*timeouts = interview->candidate->settings.timeouts;
	timeouts->connect = MIN(timeouts->connect, STAGE_SPAN);
	timeouts->greeting = MIN(timeouts->greeting, STAGE_SPAN);
	timeouts->command = MIN(timeouts->command, STAGE_SPAN);
}

static void
visit(struct interview *interview)
{
	autofd fd = -1;
	g_autoptr(Peer) peer = NULL;

	limit_timeouts(interview);
	fd = connect_to(interview);
	interview->works = FALSE;
	if (fd < 0)
		return;
	peer = peer_new(fd);
	interview->dialogue.peer = peer;
	interview->dialogue.over = FALSE;
	talk(interview);
	interview->works = interview->trouble == NULL;
	if (!interview->dialogue.over)
		quit(interview);
}

gboolean
interview(const struct ctl *ctl, const struct settings *settings,
    const struct candidate *candidate, const char *helo_name, json_t *to)
{
	struct interview state = {
	    .ctl = ctl,
	    .settings = settings,
	    .candidate = candidate,
	    .helo_name = candidate->settings.helo_name != NULL
		? candidate->settings.helo_name
		: helo_name,
	};
	g_autoptr(Transaction) transaction = transaction_new(&state.outcome, 1);
	g_autofree char *name = attempt_peer(candidate);

	state.dialogue.transaction = transaction;
	state.dialogue.timeouts = &state.timeouts;
	state.dialogue.deadline = G_MAXINT64;
	if (to != NULL)
		state.stages = document_set_array(to, "stages");
	else
		say("%s%s%s\n", paint(ctl, PAINT_TITLE), name,
		    paint(ctl, PAINT_END));
	prepare(&state);
	visit(&state);
	if (state.again) {
		state.again = FALSE;
		state.security.tls.level = TLS_NONE;
		visit(&state);
	}
	if (to != NULL)
		set_result(to, &state);
	else
		say_result(&state);
	security_clear(&state.security);
	outcome_clear(&state.outcome);
	g_free(state.trouble);
	return state.works;
}
