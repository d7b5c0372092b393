/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "ctl/check/check-lmtp.h"
#include "ctl/check/check-service.h"
#include "ctl/lmtpclient.h"
#include "ctl/postconf.h"

/* How long spawn(8) lets the agent live; it ends amid a delivery else. */
static void
check_life(struct check *check, const struct service *service)
{
	g_autofree char *name = g_strconcat(service->name, "_time_limit", NULL);
	g_autofree char *where = g_strconcat("main.cf: ", name, NULL);
	g_autofree char *value = postconf_effective(name);
	const char *option = service_option(service, name);

	if (lmtpclient_is_short(option != NULL ? option : value,
		LMTPCLIENT_LIFE_MIN))
		finding(&check->findings, SEVERITY_WARNING, where,
		    "is %s; expected " LMTPCLIENT_LIFE
		    ", since spawn(8) kills smtproute then, whatever it is at",
		    option != NULL ? option : value);
}

/* The client has to wait for longer than a delivery takes. */
static void
check_patience(struct check *check)
{
	g_autofree char *done = postconf_effective(LMTPCLIENT_DONE);
	guint64 needed = LMTPCLIENT_SPAN;

	if (check_knows(check, "time-limit"))
		needed = lmtpclient_span(check->settings);
	if (lmtpclient_is_short(done, needed + LMTPCLIENT_SPARE))
		finding(&check->findings, SEVERITY_ERROR,
		    "main.cf: " LMTPCLIENT_DONE,
		    "is %s; expected at least %" G_GUINT64_FORMAT
		    "s, since a delivery may take %" G_GUINT64_FORMAT
		    " s, and comes again if nobody waits for its end",
		    done, needed + LMTPCLIENT_SPARE, needed);
}

static void
check_xforward(struct check *check)
{
	g_autofree char *value = postconf_effective(LMTPCLIENT_XFORWARD);

	if (strcmp(value, "yes") != 0)
		finding(&check->findings, SEVERITY_WARNING,
		    "main.cf: " LMTPCLIENT_XFORWARD,
		    "is not yes; expected yes, without which the log has no "
		    "queue ids");
}

/* A number of processes or connections; G_MAXUINT64: without limit. */
static guint64
parse_limit(const char *text)
{
	guint64 limit;

	if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT32, &limit, NULL))
		return G_MAXUINT64;
	return limit == 0 ? G_MAXUINT64 : limit;
}

/*
 * All of the mail has one destination for qmgr(8), the socket.  A connection
 * that no process is there for waits for its greeting, and its mail with it.
 */
static void
check_processes(struct check *check, const struct service *service)
{
	g_autofree char *where = service_place(service);
	g_autofree char *connections = postconf_effective(LMTPCLIENT_AT_ONCE);
	g_autofree char *general = postconf_effective("default_process_limit");
	const char *limit =
	    strcmp(service->limit, "-") == 0 ? general : service->limit;

	if (parse_limit(connections) == G_MAXUINT64 ||
	    parse_limit(limit) >= parse_limit(connections))
		return;
	finding(&check->findings, SEVERITY_WARNING, where,
	    "process limit is %s; expected at least %s, "
	    "which is " LMTPCLIENT_AT_ONCE
	    ", since what is over it waits for a greeting",
	    limit, connections);
}

void
check_lmtp(struct check *check, const struct service *service,
    const char *level)
{
	check_service_lmtp(&check->findings, service, level);
	check_life(check, service);
	check_patience(check);
	check_xforward(check);
	check_processes(check, service);
}
