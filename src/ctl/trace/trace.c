/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace: makes one story of what the maillog has of a message.
 */

#include <config.h>

#include <getopt.h>

#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/trace/life.h"
#include "ctl/trace/logline.h"
#include "ctl/trace/maillogs.h"
#include "ctl/trace/trace.h"
#include "ctl/trace/whereabouts.h"
#include "hosts/deferred.h"
#include "util/printable.h"

/* Of one message, some 10 MB; it may have had thousands of attempts. */
#define EVENTS_MAX 20000

/* As much of an argument as a message quotes. */
#define QUOTE_MAX 80

struct request {
	const struct ctl *ctl;
	const char *id;
	GPtrArray *paths; /* as given */
	gboolean json;
	GPtrArray *events;
	guint64 left_out;
	gboolean trouble; /* could not all be read? */
};

static void
take_line(char *line, gsize length G_GNUC_UNUSED, gpointer data)
{
	struct request *request = data;
	struct logline parsed;

	if (!logline_parse(line, request->id, &parsed))
		return;
	if (request->events->len < EVENTS_MAX)
		g_ptr_array_add(request->events,
		    event_new(parsed.time, parsed.program, parsed.message));
	else
		request->left_out++;
	g_free(parsed.program);
}

static void
note_trouble(struct request *request, const GError *error)
{
	if (error == NULL)
		return;
	complain("%s", error->message);
	request->trouble = TRUE;
}

/* Those behind the first @count come from one log: is it not Postfix's? */
static void
note_apart(struct request *request, guint count)
{
	GPtrArray *events = request->events;

	for (guint i = count; i < events->len; i++) {
		const struct event *event = events->pdata[i];

		if (event->kind != EVENT_OTHER)
			return;
	}
	for (guint i = count; i < events->len; i++)
		((struct event *)events->pdata[i])->apart = TRUE;
}

static void
read_files(struct request *request, const GPtrArray *paths)
{
	for (guint i = 0; i < paths->len; i++) {
		g_autoptr(GError) error = NULL;
		guint count = request->events->len;

		maillogs_read(paths->pdata[i], take_line, request, &error);
		note_apart(request, count);
		note_trouble(request, error);
	}
}

/* What is there, or else the journal. */
static void
read_usual(struct request *request)
{
	g_autoptr(Settings) settings = settings_load(request->ctl->conf, NULL);
	g_autoptr(GPtrArray) paths = maillogs_find(settings);
	g_autoptr(GError) error = NULL;

	read_files(request, paths);
	if (request->events->len > 0 || request->trouble)
		return;
	maillogs_read_journal(take_line, request, &error);
	if (paths->len > 0 &&
	    g_error_matches(error, COMMAND_ERROR, COMMAND_ERROR_MISSING))
		return;
	note_trouble(request, error);
}

static enum ctl_status
answer(struct request *request)
{
	struct trace trace = {
	    .id = request->id,
	    .left_out = request->left_out,
	};
	g_autoptr(GPtrArray) lives = NULL;
	gboolean found = request->events->len > 0;

	lives = life_divide(g_steal_pointer(&request->events));
	trace.lives = lives;
	trace.queue = whereabouts_find(request->id, &trace.next);
	if (request->json)
		trace_say_json(&trace);
	else if (found)
		trace_say_text(request->ctl, &trace);
	else
		say("%s: no log has a line about it\n", request->id);
	if (request->trouble)
		return CTL_TROUBLE;
	return found ? CTL_OK : CTL_NO;
}

/* FALSE: not as the usage says. */
static gboolean
parse_options(int argc, char **argv, struct request *request)
{
	static const struct option options[] = {
	    {"json", no_argument, NULL, 'j'},
	    {"log", required_argument, NULL, 'l'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'j')
			request->json = TRUE;
		else if (option == 'l')
			g_ptr_array_add(request->paths, g_strdup(optarg));
		else
			return FALSE;
	}
	return argc - optind == 1;
}

static enum ctl_status
run(struct request *request)
{
	g_autofree char *shown = printable(request->id, QUOTE_MAX);

	if (!deferred_is_id(request->id)) {
		complain("bad queue id \"%s\"; expected letters and digits, as "
			 "in the maillog",
		    shown);
		return CTL_TROUBLE;
	}
	request->events = g_ptr_array_new_with_free_func(event_free);
	if (request->paths->len > 0) {
		maillogs_sort(request->paths);
		read_files(request, request->paths);
	} else {
		read_usual(request);
	}
	return answer(request);
}

enum ctl_status
ctl_trace(const struct ctl *ctl, int argc, char **argv)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	struct request request = {.ctl = ctl, .paths = paths};

	if (!parse_options(argc, argv, &request))
		return CTL_USAGE;
	request.id = argv[optind];
	return run(&request);
}
