/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue: shows what waits in Postfix's queue, and has it tried.
 */

#include <config.h>

#include <getopt.h>
#include <string.h>

#include "ctl/queue/cause.h"
#include "ctl/queue/flush.h"
#include "ctl/queue/queue.h"
#include "ctl/queue/wanted.h"
#include "ctl/queue/ways.h"

/* Some 5 minutes of work; who has more lets Postfix flush all of its queue. */
#define FLUSH_MAX 100000

/* A day is long for mail, and so is what a host takes in an hour. */
#define WARNING_LIMIT                                                          \
	{                                                                      \
		100, G_TIME_SPAN_HOUR                                          \
	}
#define CRITICAL_LIMIT                                                         \
	{                                                                      \
		1000, 4 * G_TIME_SPAN_HOUR                                     \
	}

enum form {
	FORM_TEXT,
	FORM_JSON,
	FORM_CHECK,
};

struct request {
	const struct ctl *ctl;
	struct wanted wanted;
	enum form form;
	gboolean flush;
	gboolean limits; /* have any been given? */
	struct queue_limit warning;
	struct queue_limit critical;
	struct ways *ways;
	struct census *census;
	GPtrArray *ids; /* to be flushed */
	guint64 unread; /* messages */
};

/* FALSE: nothing of it is asked for. */
static gboolean
count_recipient(struct request *request, const struct mailq_message *message,
    const struct mailq_recipient *recipient, const char *route)
{
	struct census *census = request->census;
	gboolean all = wanted_route(&request->wanted, route, recipient->domain);
	g_autoptr(GPtrArray) causes = cause_parse(recipient->reason);
	struct group *group = NULL;
	gboolean counted = FALSE;

	for (guint i = 0; i < causes->len; i++) {
		const struct cause *cause = causes->pdata[i];
		struct group *host;

		if (!all && !wanted_host(&request->wanted, cause->host))
			continue;
		if (!counted)
			group = census_add(census, NULL, route, message);
		counted = TRUE;
		if (group == NULL)
			break;
		host = census_add(census, group,
		    cause->host != NULL ? cause->host : CENSUS_NO_HOST,
		    message);
		if (host != NULL)
			census_add(census, host, cause->text, message);
	}
	return counted;
}

static void
count_message(struct request *request, const struct mailq_message *message)
{
	gboolean counted = FALSE;

	census_begin(request->census);
	for (guint i = 0; i < message->recipients->len; i++) {
		const struct mailq_recipient *recipient =
		    message->recipients->pdata[i];
		const char *route =
		    ways_route(request->ways, recipient->domain);

		if (route == NULL)
			census_add_other(request->census, message);
		else if (count_recipient(request, message, recipient, route))
			counted = TRUE;
	}
	if (counted && message->place == MAILQ_DEFERRED && request->flush &&
	    request->ids->len < FLUSH_MAX)
		g_ptr_array_add(request->ids, g_strdup(message->id));
}

static void
count_messages(const GPtrArray *messages, gpointer data)
{
	struct request *request = data;

	ways_limit(request->ways);
	for (guint i = 0; i < messages->len; i++) {
		const struct mailq_message *message = messages->pdata[i];

		for (guint j = 0; j < message->recipients->len; j++) {
			const struct mailq_recipient *recipient =
			    message->recipients->pdata[j];

			ways_want(request->ways, recipient->domain);
		}
	}
	ways_find(request->ways);
	for (guint i = 0; i < messages->len; i++)
		count_message(request, messages->pdata[i]);
}

static enum ctl_status
flush(struct request *request)
{
	g_autoptr(GError) error = NULL;
	guint64 count = request->census->all->messages[MAILQ_DEFERRED];
	guint done = flush_all(request->ids, &error);

	say("%u message%s %s tried now\n", done, done == 1 ? "" : "s",
	    done == 1 ? "is" : "are");
	if (error != NULL) {
		complain("%s", error->message);
		return CTL_TROUBLE;
	}
	if (count > request->ids->len)
		complain("warning: %" G_GUINT64_FORMAT
			 " more are left; say it again, or postqueue -f",
		    count - request->ids->len);
	return CTL_OK;
}

static enum ctl_status
answer(struct request *request)
{
	const struct census *census = request->census;

	if (request->unread > 0)
		complain("warning: postqueue -j: %" G_GUINT64_FORMAT
			 " lines are no messages, or too long",
		    request->unread);
	if (request->flush)
		return flush(request);
	switch (request->form) {
	case FORM_TEXT:
		queue_say_text(request->ctl, census);
		break;
	case FORM_JSON:
		queue_say_json(census, request->unread);
		break;
	case FORM_CHECK:
		return queue_say_check(census, &request->warning,
		    &request->critical);
	}
	return CTL_OK;
}

/* FALSE: complain() has said why. */
static gboolean
read_queue(struct request *request)
{
	g_autoptr(GError) error = NULL;

	if (!mailq_read(count_messages, request, &request->unread, &error))
		complain("%s", error->message);
	return error == NULL;
}

/* FALSE: there is no answer. */
static gboolean
run(struct request *request, enum ctl_status *ret)
{
	g_autoptr(Settings) settings = ctl_settings(request->ctl);
	g_autoptr(Ways) ways = NULL;
	g_autoptr(Census) census = census_new();
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);

	if (settings == NULL)
		return FALSE;
	ways = ways_new(request->ctl, settings);
	request->ways = ways;
	request->census = census;
	request->ids = ids;
	if (!read_queue(request))
		return FALSE;
	*ret = answer(request);
	return TRUE;
}

/* FALSE: complain() has said why. */
static gboolean
parse_limit(struct request *request, const char *text,
    struct queue_limit *limit)
{
	request->limits = TRUE;
	if (queue_parse_limit(text, limit))
		return TRUE;
	complain("bad limit; expected messages, or messages and age: 100,1h");
	return FALSE;
}

/* FALSE: not as the usage says. */
static gboolean
parse_options(int argc, char **argv, struct request *request)
{
	static const struct option options[] = {
	    {"check", no_argument, NULL, 'k'},
	    {"critical", required_argument, NULL, 'c'},
	    {"flush", no_argument, NULL, 'f'},
	    {"json", no_argument, NULL, 'j'},
	    {"warning", required_argument, NULL, 'w'},
	    {NULL, 0, NULL, 0},
	};
	guint given = 0;
	int option;

	while (
	    (option = getopt_long(argc, argv, "c:w:", options, NULL)) != -1) {
		if (option == 'k')
			request->form = FORM_CHECK;
		else if (option == 'j')
			request->form = FORM_JSON;
		else if (option == 'f')
			request->flush = TRUE;
		else if (option == 'w' || option == 'c') {
			if (!parse_limit(request, optarg,
				option == 'w' ? &request->warning
					      : &request->critical))
				return FALSE;
			continue;
		} else
			return FALSE;
		given++;
	}
	return given <= 1 && (!request->limits || request->form == FORM_CHECK);
}

enum ctl_status
ctl_queue(const struct ctl *ctl, int argc, char **argv)
{
	struct request request = {
	    .ctl = ctl,
	    .warning = WARNING_LIMIT,
	    .critical = CRITICAL_LIMIT,
	};
	enum ctl_status status = CTL_TROUBLE;

	if (!parse_options(argc, argv, &request))
		return CTL_USAGE;
	request.wanted.texts = argv + optind;
	request.wanted.count = argc - optind;
	if (run(&request, &status) || request.form != FORM_CHECK)
		return status;
	/* A monitoring system looks at stdout alone. */
	say("SMTPROUTE QUEUE UNKNOWN - \"smtproutectl queue\" says why\n");
	return CTL_UNKNOWN;
}
