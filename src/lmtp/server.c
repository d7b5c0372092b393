/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <fcntl.h>

#include "agent/safety.h"
#include "agent/station.h"
#include "conf/settingsfile.h"
#include "lmtp/answers.h"
#include "lmtp/dispatch.h"
#include "lmtp/intake.h"
#include "lmtp/parcel.h"
#include "lmtp/request.h"
#include "lmtp/server.h"
#include "util/deadline.h"
#include "util/maillog.h"

/* RFC 5321 section 4.5.3.2.7. */
#define IDLE_SPAN (300 * G_USEC_PER_SEC)

/* The client reads the content from a disk. */
#define CONTENT_SPAN (900 * G_USEC_PER_SEC)

/* Who says nothing but nonsense is no client. */
#define FAULTS_MAX 50

/* So long nobody looks again whether others may write to the settings. */
#define SAFE_SPAN G_USEC_PER_SEC

struct server {
	struct intake *intake;
	struct answers *answers;
	struct settingsfile *file;
	struct station *station; /* with the settings; NULL: there are none */
	gint64 safe_until; /* somebody may have made them unsafe by then */
	struct message *message; /* empty between two; NULL: not needed yet */
	struct parcel *parcel;   /* NULL: no MAIL yet */
	gboolean greeted;
	gboolean over;
	gboolean excused; /* since MAIL or RCPT was refused, and the client,
			   * which pipelines, may not have known of it */
	guint faults;
};

static void
end_transaction(struct server *server)
{
	g_clear_pointer(&server->parcel, parcel_free);
	maillog_set_queue_id(NULL);
	server->excused = FALSE;
}

static void
refuse(struct server *server, int code, const char *text)
{
	answers_add(server->answers, code, text);
	/* Not 421: qmgr(8) would suspend all that comes here. */
	if (++server->faults == FAULTS_MAX)
		server->over = TRUE;
}

/* A command that comes too early. */
static void
refuse_early(struct server *server, const char *text)
{
	if (server->excused)
		answers_add(server->answers, 503, text);
	else
		refuse(server, 503, text);
}

static void
refuse_with(struct server *server, struct verdict *verdict)
{
	dispatch_answer(server->answers, verdict);
	verdict_clear(verdict);
	server->excused = TRUE;
}

/* And what its settings have made. */
static void
drop_station(struct server *server)
{
	g_clear_pointer(&server->message, message_free);
	g_clear_pointer(&server->station, station_free);
}

/* What is kept is so for as long as nothing of the settings changes. */
static struct station *
get_station(struct server *server, GError **error)
{
	guint reads = settingsfile_reads(server->file);
	const struct settings *settings = settingsfile_get(server->file, error);

	if (settingsfile_reads(server->file) != reads)
		drop_station(server);
	if (settings != NULL && server->station == NULL) {
		server->station = station_new(settings, TRUE);
		server->safe_until = 0;
	}
	return server->station;
}

static void
greet(struct server *server)
{
	const char *offer[] = {PACKAGE_NAME, "PIPELINING",
	    "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8", "SIZE",
	    "XFORWARD IDENT", NULL, NULL};
	const struct station *station;

	end_transaction(server);
	server->greeted = TRUE;
	/* Without settings MAIL says what is wrong. */
	station = get_station(server, NULL);
	if (station != NULL && station->settings->dsn == ANSWER_YES)
		offer[G_N_ELEMENTS(offer) - 2] = "DSN";
	answers_add_lines(server->answers, 250, offer);
}

/* FALSE: *verdict says what is wrong with the set-up. */
static gboolean
prepare(struct server *server, struct verdict *verdict)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *unsafe = NULL;
	const struct station *station = get_station(server, &error);

	if (station == NULL) {
		verdict_set(verdict, VERDICT_DEFER, "4.3.5", "%s",
		    error->message);
		return FALSE;
	}
	maillog_open(station->settings->log, station->settings->syslog_name);
	if (deadline_left(server->safe_until) > 0)
		return TRUE;
	unsafe = safety_fault(station->settings);
	if (unsafe != NULL) {
		verdict_set(verdict, VERDICT_DEFER, "4.3.5", "%s", unsafe);
		return FALSE;
	}
	server->safe_until = deadline_in(SAFE_SPAN);
	return TRUE;
}

/* The settings of now hold for the whole transaction. */
static void
begin(struct server *server, const struct lmtp_request *request)
{
	struct verdict verdict = {0};

	if (!server->greeted || server->parcel != NULL) {
		refuse(server, 503,
		    server->greeted ? "5.5.1 nested MAIL"
				    : "5.5.1 say LHLO first");
		return;
	}
	if (prepare(server, &verdict))
		server->parcel = parcel_new(request, &verdict);
	if (server->parcel == NULL) {
		refuse_with(server, &verdict);
		return;
	}
	server->excused = FALSE;
	station_begin(server->station, server->parcel->sender->path);
	answers_add(server->answers, 250, "2.1.0 ok");
}

/*
 * Whoever has sent DATA by now wants no word of the host before.  Others may
 * end here, as verify(8) does, and want nothing else.
 */
static gboolean
inquire(struct server *server, struct verdict *verdict)
{
	if (intake_follows(server->intake, "RCPT", "DATA"))
		return FALSE;
	/* The client's patience counts from the reply before. */
	return answers_flush(server->answers) &&
	    parcel_inquire(server->parcel, server->station, verdict);
}

static void
add_recipient(struct server *server, const struct lmtp_request *request)
{
	struct verdict verdict = {0};

	if (server->parcel == NULL) {
		refuse_early(server, "5.5.1 say MAIL first");
		return;
	}
	if (parcel_add(server->parcel, server->station, request, &verdict) &&
	    !inquire(server, &verdict)) {
		answers_add(server->answers, 250, "2.1.5 ok");
		return;
	}
	server->excused |= verdict.kind != VERDICT_DELIVERED;
	dispatch_answer(server->answers, &verdict);
	verdict_clear(&verdict);
}

/* The content was not to be kept: every recipient's mail comes again. */
static void
answer_all(struct server *server, const GError *error)
{
	struct verdict verdict = {0};

	/* 4.3.1: mail system full (RFC 3463 section 3.4). */
	verdict_set(&verdict, VERDICT_DEFER, "4.3.1", "%s", error->message);
	for (guint i = 0; i < server->parcel->recipients->len; i++)
		dispatch_answer(server->answers, &verdict);
	verdict_clear(&verdict);
}

static void
take_content(struct server *server)
{
	g_autoptr(GError) error = NULL;

	if (server->message == NULL)
		server->message =
		    message_new(server->station->settings->spool_directory);
	answers_add(server->answers, 354, "end with <CRLF>.<CRLF>");
	if (!answers_flush(server->answers)) {
		server->over = TRUE;
		return;
	}
	switch (intake_content(server->intake, server->message,
	    deadline_in(CONTENT_SPAN), &error)) {
	case INTAKE_LINE:
		dispatch(server->station, server->parcel, server->message,
		    server->answers);
		break;
	case INTAKE_LOST:
		answer_all(server, error);
		break;
	default:
		server->over = TRUE;
		break;
	}
	message_empty(server->message);
	end_transaction(server);
}

static void
begin_content(struct server *server)
{
	if (server->parcel == NULL)
		refuse_early(server, "5.5.1 say MAIL first");
	else if (server->parcel->recipients->len == 0)
		refuse_early(server, "5.5.1 no valid recipients");
	else
		take_content(server);
}

static void
serve(struct server *server, const struct lmtp_request *request)
{
	switch (request->verb) {
	case LMTP_LHLO:
		greet(server);
		break;
	case LMTP_MAIL:
		begin(server, request);
		break;
	case LMTP_RCPT:
		add_recipient(server, request);
		break;
	case LMTP_DATA:
		begin_content(server);
		break;
	case LMTP_RSET:
		end_transaction(server);
		answers_add(server->answers, 250, "2.0.0 ok");
		break;
	case LMTP_VRFY:
		answers_add(server->answers, 252, "2.0.0 try RCPT");
		break;
	case LMTP_XFORWARD:
		maillog_set_queue_id(request->ident);
		answers_add(server->answers, 250, "2.0.0 ok");
		break;
	case LMTP_QUIT:
		answers_add(server->answers, 221, "2.0.0 bye");
		server->over = TRUE;
		break;
	default:
		answers_add(server->answers, 250, "2.0.0 ok");
		break;
	}
}

static void
serve_line(struct server *server, const char *line)
{
	struct lmtp_request request;
	struct lmtp_refusal refusal;

	if (lmtp_request_parse(&request, line, &refusal))
		serve(server, &request);
	else
		refuse(server, refusal.code, refusal.text);
	lmtp_request_clear(&request);
}

/* Closes connections while the client says nothing. */
static enum intake_result
next_line(struct server *server, const char **line)
{
	gint64 deadline = deadline_in(IDLE_SPAN);
	enum intake_result result;

	do {
		gint64 expiry = deadline;

		if (server->station != NULL && !intake_has_line(server->intake))
			expiry = station_idle(server->station);
		result =
		    intake_line(server->intake, MIN(expiry, deadline), line);
	} while (result == INTAKE_LATE && deadline_left(deadline) > 0);
	return result;
}

static void
serve_next(struct server *server)
{
	const char *line;

	if (!intake_has_line(server->intake) &&
	    !answers_flush(server->answers)) {
		server->over = TRUE;
		return;
	}
	switch (next_line(server, &line)) {
	case INTAKE_LINE:
		serve_line(server, line);
		break;
	case INTAKE_LONG:
		refuse(server, 500, "5.5.2 line too long");
		break;
	default:
		server->over = TRUE;
		break;
	}
}

void
server_run(int input, int output, const char *conf)
{
	g_autoptr(Intake) intake = intake_new(input);
	g_autoptr(Answers) answers = answers_new(output);
	g_autoptr(Settingsfile) file = settingsfile_new(conf);
	struct server server = {
	    .intake = intake,
	    .answers = answers,
	    .file = file,
	};

	fcntl(output, F_SETFL, fcntl(output, F_GETFL) | O_NONBLOCK);
	answers_add(answers, 220, PACKAGE_NAME " LMTP");
	while (!server.over)
		serve_next(&server);
	answers_flush(answers);
	end_transaction(&server);
	drop_station(&server);
}
