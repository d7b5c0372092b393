/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve: answers one request of HTTP on standard input and output, for whoever
 * starts a program for each connection: spawn(8), systemd's sockets.
 */

#include <config.h>

#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/hosts/hosts.h"
#include "ctl/serve/http.h"
#include "ctl/serve/page.h"
#include "ctl/serve/style.h"
#include "ctl/sight.h"
#include "util/deadline.h"

/* For all of it: a client that is slower has no use for the answer. */
#define SPAN (10 * G_USEC_PER_SEC)

#define TYPE_TEXT "text/plain; charset=utf-8"
#define TYPE_HTML "text/html; charset=utf-8"
#define TYPE_JSON "application/json"
#define TYPE_OPEN "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* What an answer is made of. */
struct serving {
	const struct settings *settings;
	const struct sight *sight;
	struct routelist *routes; /* of the map; NULL: not wanted */
	GPtrArray *rows;          /* by name and port */
	guint strangers;
	GString *said;       /* say()'s */
	GString *complaints; /* complain()'s */
};

/* Nothing that a script reads: why there is no answer. */
static enum http_status
tell_trouble(struct serving *serving)
{
	g_string_assign(serving->said, "smtproutectl: ");
	g_string_append(serving->said,
	    serving->sight != NULL && serving->sight->error != NULL
		? serving->sight->error->message
		: serving->complaints->str);
	g_string_append(serving->said, "\n");
	return HTTP_TROUBLE;
}

static enum http_status
serve_page(struct serving *serving)
{
	g_autoptr(Figures) figures =
	    figures_new(serving->settings, serving->sight, serving->strangers);
	g_autoptr(GPtrArray) rows = hostlist_worst_first(serving->rows);
	const struct page page = {
	    .now = g_get_real_time(),
	    .sight = serving->sight,
	    .rows = rows,
	    .routes = serving->routes,
	    .figures = figures,
	    .complaints = serving->complaints->str,
	};
	GString *text;

	routelist_judge(serving->routes, serving->sight->list,
	    serving->settings, figures->backlog);
	text = page_new(&page);
	g_string_append_len(serving->said, text->str, (gssize)text->len);
	g_string_free(text, TRUE);
	return HTTP_OK;
}

/* Who reads metrics wants to know of trouble by them. */
static enum http_status
serve_metrics(struct serving *serving)
{
	g_autoptr(Figures) figures =
	    figures_new(serving->settings, serving->sight, serving->strangers);

	if (serving->sight->error != NULL)
		g_ptr_array_set_size(serving->rows, 0);
	hosts_say_metrics(METRICS_OPEN, serving->rows, figures);
	return HTTP_OK;
}

static enum http_status
serve_json(struct serving *serving)
{
	if (serving->sight->error != NULL)
		return tell_trouble(serving);
	hosts_say_json(serving->rows);
	return HTTP_OK;
}

static enum http_status
serve_health(struct serving *serving)
{
	if (serving->sight->error != NULL)
		return tell_trouble(serving);
	return hosts_say_check(serving->rows, sight_trouble(serving->sight)) ==
		CTL_TROUBLE
	    ? HTTP_TROUBLE
	    : HTTP_OK;
}

/* All there is; nothing else is made of a path. */
static const struct resource {
	const char *path;
	const char *type;
	enum http_status (*serve)(struct serving *serving);
	gboolean routes; /* does it show them? */
} resources[] = {
    {"/", TYPE_HTML, serve_page, TRUE},
    {"/metrics", TYPE_OPEN, serve_metrics, FALSE},
    {"/hosts.json", TYPE_JSON, serve_json, FALSE},
    {"/healthz", TYPE_TEXT, serve_health, FALSE},
};

/* NULL: there is none. */
static const struct resource *
find_resource(const char *path)
{
	for (gsize i = 0; i < G_N_ELEMENTS(resources); i++) {
		if (strcmp(resources[i].path, path) == 0)
			return &resources[i];
	}
	return NULL;
}

static enum http_status
serve_with(const struct ctl *ctl, const struct resource *resource,
    struct serving *serving)
{
	g_autoptr(Settings) settings = ctl_settings(ctl);
	g_autoptr(Routelist) routes = resource->routes ? routelist_new() : NULL;
	g_autoptr(Sight) sight = settings == NULL
	    ? NULL
	    : sight_new(ctl, settings, NULL,
		  resource->routes ? routelist_add : NULL, routes);
	enum http_status status;

	serving->settings = settings;
	serving->sight = sight;
	serving->routes = routes;
	if (sight == NULL)
		return tell_trouble(serving);
	serving->rows = sight_rows(sight, FALSE, &serving->strangers);
	status = resource->serve(serving);
	g_ptr_array_unref(serving->rows);
	return status;
}

/*
 * spawn(8) has the connection for stderr, too, so complaints are a part of the
 * answer or lost.
 */
static void
answer(const struct ctl *ctl, const struct resource *resource,
    struct http_answer *answer)
{
	g_autoptr(GString) complaints = g_string_new(NULL);
	struct serving serving = {
	    .said = answer->body,
	    .complaints = complaints,
	};

	say_divert(serving.said, serving.complaints);
	answer->status = serve_with(ctl, resource, &serving);
	say_divert(NULL, NULL);
	if (answer->status == HTTP_OK)
		answer->type = resource->type;
}

static void
serve(const struct ctl *ctl)
{
	gint64 deadline = deadline_in(SPAN);
	g_autoptr(GString) body = g_string_new(NULL);
	g_autofree char *policy = NULL;
	struct http_answer reply = {.type = TYPE_TEXT, .body = body};
	const struct resource *resource = NULL;
	struct http_request request;

	reply.status = http_receive(STDIN_FILENO, deadline, &request);
	if (reply.status == HTTP_NOTHING)
		return;
	if (reply.status == HTTP_OK) {
		resource = find_resource(request.path);
		reply.status = resource != NULL ? HTTP_OK : HTTP_NOT_FOUND;
	}
	if (resource != NULL)
		answer(ctl, resource, &reply);
	if (body->len == 0)
		g_string_printf(body, "%u %s\n", (guint)reply.status,
		    http_reason(reply.status));
	if (g_str_equal(reply.type, TYPE_HTML))
		reply.policy = policy = style_policy();
	http_send(STDOUT_FILENO, deadline, &reply, request.head);
	g_free(request.path);
}

enum ctl_status
ctl_serve(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {{NULL, 0, NULL, 0}};

	if (getopt_long(argc, argv, "", options, NULL) != -1 || optind != argc)
		return CTL_USAGE;
	signal(SIGPIPE, SIG_IGN);
	serve(ctl);
	return CTL_OK;
}
