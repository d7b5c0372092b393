/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smtproute(8): one delivery, as Postfix's pipe(8) asks for it; or with -L
 * many, as lmtp(8) does (lmtp/server.h).
 *
 * Whatever goes wrong becomes a verdict; the end of main() is the only place
 * that tells Postfix.
 */

#include <config.h>

#include <sched.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <ares.h>
#include <libesmtp.h>
#include <lmdb.h>
#include <openssl/crypto.h>

#include "address/mailbox.h"
#include "agent/delivery.h"
#include "agent/safety.h"
#include "agent/verdict.h"
#include "agent/wakeup.h"
#include "conf/settings.h"
#include "lmtp/server.h"
#include "route/routemap.h"
#include "smtp/message.h"
#include "util/caller.h"
#include "util/deadline.h"
#include "util/guard.h"
#include "util/maillog.h"

/* Until the settings are known, in seconds. */
#define TIME_LIMIT_DEFAULT 900

/* The guard comes after every deadline of the delivery, in seconds. */
#define GUARD_MARGIN 20

#define USAGE                                                                  \
	"usage: smtproute [-c conf] [-q queue-id] [-f sender] "                \
	"[-n nexthop] [--] recipient ..., or smtproute -L [-c conf]"

struct arguments {
	const char *conf;
	const char *queue_id;
	const char *sender;
	const char *nexthop;
	gboolean version;
	gboolean lmtp;
	char **recipients; /* ends with NULL */
};

static gboolean
has_envelope(const struct arguments *arguments)
{
	return arguments->queue_id != NULL || arguments->sender != NULL ||
	    arguments->nexthop != NULL || arguments->version;
}

static gboolean
parse_arguments(int argc, char **argv, struct arguments *arguments)
{
	int option;

	opterr = 0;
	while ((option = getopt(argc, argv, "+c:f:Ln:q:V")) != -1) {
		switch (option) {
		case 'c':
			arguments->conf = optarg;
			break;
		case 'f':
			arguments->sender = optarg;
			break;
		case 'L':
			arguments->lmtp = TRUE;
			break;
		case 'n':
			arguments->nexthop = optarg;
			break;
		case 'q':
			arguments->queue_id = optarg;
			break;
		case 'V':
			arguments->version = TRUE;
			break;
		default:
			return FALSE;
		}
	}
	arguments->recipients = argv + optind;
	if (arguments->lmtp)
		return optind == argc && !has_envelope(arguments);
	/* Status 0 means delivered: with -V there may be nothing to deliver. */
	return arguments->version ? optind == argc : optind < argc;
}

static void
write_version(int output)
{
	char esmtp[32] = "";
	int major;
	int minor;
	int patch;
	g_autofree char *text = NULL;

	smtp_version(esmtp, sizeof(esmtp), 0);
	mdb_version(&major, &minor, &patch);
	text = g_strdup_printf(PACKAGE_STRING
	    "\n"
	    "libesmtp %s, glib %u.%u.%u, "
	    "c-ares %s, openssl %s, lmdb %d.%d.%d\n",
	    esmtp, glib_major_version, glib_minor_version, glib_micro_version,
	    ares_version(NULL), OpenSSL_version(OPENSSL_VERSION_STRING), major,
	    minor, patch);
	guard_write(output, text);
}

/* FALSE: not all can be used; *verdict is set. */
static gboolean
parse_recipients(char **texts, GPtrArray *recipients, struct verdict *verdict)
{
	guint refused = 0;

	for (char **text = texts; *text != NULL; text++) {
		g_autoptr(GError) error = NULL;
		struct mailbox *mailbox = mailbox_parse(*text, &error);

		if (mailbox != NULL)
			g_ptr_array_add(recipients, mailbox);
		else if (refused++ == 0)
			verdict_refuse_address(verdict, "recipient", error);
	}
	if (refused > 0 && recipients->len > 0)
		verdict_set_mixed(verdict, "an address cannot be used");
	return refused == 0;
}

static gboolean
parse_envelope(const struct arguments *arguments, struct envelope *envelope,
    struct verdict *verdict)
{
	g_autoptr(GError) error = NULL;

	envelope->sender =
	    mailbox_parse_sender(arguments->sender != NULL ? arguments->sender
							   : "",
		&error);
	if (envelope->sender == NULL) {
		verdict_refuse_address(verdict, "sender", error);
		return FALSE;
	}
	envelope->recipients =
	    g_ptr_array_new_with_free_func((GDestroyNotify)mailbox_free);
	return parse_recipients(arguments->recipients, envelope->recipients,
	    verdict);
}

/*
 * Do all recipients share the route of the first?  Those of other domains do
 * so only if Postfix named it.
 */
static gboolean
is_one_route(const struct envelope *envelope, const char *nexthop,
    const struct route *route)
{
	const GPtrArray *recipients = envelope->recipients;
	const struct mailbox *first = g_ptr_array_index(recipients, 0);
	gboolean by_domain = route->kind == ROUTE_DNS ||
	    routemap_looks_up(nexthop, first->domain);

	for (guint i = 1; i < recipients->len; i++) {
		const struct mailbox *other = g_ptr_array_index(recipients, i);

		if (!g_str_equal(other->domain, first->domain) &&
		    (by_domain || routemap_looks_up(nexthop, other->domain)))
			return FALSE;
	}
	return TRUE;
}

/* NULL: *verdict is set. */
static struct route *
find_route(const struct settings *settings, const char *nexthop,
    const struct envelope *envelope, struct verdict *verdict)
{
	const struct mailbox *first =
	    g_ptr_array_index(envelope->recipients, 0);
	g_autoptr(GError) error = NULL;
	g_autoptr(Route) route = NULL;
	const char *dsn = "4.3.5";

	route = routemap_find(settings->routes, nexthop, first->domain, &error);
	if (route == NULL) {
		/* 4.4.4: unable to route (RFC 3463 section 3.5). */
		if (g_error_matches(error, ROUTEMAP_ERROR,
			ROUTEMAP_ERROR_MISSING))
			dsn = "4.4.4";
		verdict_set(verdict, VERDICT_DEFER, dsn, "%s", error->message);
		return NULL;
	}
	if (!is_one_route(envelope, nexthop, route)) {
		verdict_set_mixed(verdict, "recipients of several routes");
		return NULL;
	}
	return g_steal_pointer(&route);
}

static void
read_and_deliver(const struct settings *settings, const char *nexthop,
    const struct envelope *envelope, gint64 deadline, struct wakeup *wakeup,
    struct verdict *verdict)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Route) route = NULL;
	g_autoptr(Message) message = NULL;

	route = find_route(settings, nexthop, envelope, verdict);
	if (route == NULL)
		return;
	message = message_read(STDIN_FILENO, settings->spool_directory,
	    deadline, &error);
	if (message == NULL) {
		/* The verdict is for nobody. */
		if (g_error_matches(error, MESSAGE_ERROR, MESSAGE_ERROR_GONE))
			maillog_warning("%s", error->message);
		/* 4.3.1: mail system full (RFC 3463 section 3.4). */
		verdict_set(verdict, VERDICT_DEFER,
		    g_error_matches(error, MESSAGE_ERROR, MESSAGE_ERROR_SPOOL)
			? "4.3.1"
			: "4.3.0",
		    "%s", error->message);
		return;
	}
	deliver(settings, envelope, route, message, deadline, wakeup, verdict);
}

/*
 * Everything between the arguments and the verdict.  @settings outlives it,
 * for the log.
 */
static void
run(const struct arguments *arguments, const struct settings *settings,
    gint64 started, struct wakeup *wakeup, struct verdict *verdict)
{
	struct envelope envelope = {NULL, NULL, FALSE};
	g_autofree char *unsafe = NULL;

	guard_time(settings->time_limit / G_USEC_PER_SEC + GUARD_MARGIN);
	maillog_open(settings->log, settings->syslog_name);
	*wakeup = wakeup_of(settings, arguments->queue_id);
	unsafe = safety_fault(settings);
	if (unsafe != NULL)
		verdict_set(verdict, VERDICT_DEFER, "4.3.5", "%s", unsafe);
	else if (parse_envelope(arguments, &envelope, verdict))
		read_and_deliver(settings, arguments->nexthop, &envelope,
		    started + settings->time_limit, wakeup, verdict);
	g_clear_pointer(&envelope.sender, mailbox_free);
	g_clear_pointer(&envelope.recipients, g_ptr_array_unref);
}

/* Postfix reads the line and the status, and decides by them. */
static int
report(int output, struct verdict *verdict)
{
	const char *lost = maillog_close();
	g_autofree char *line = NULL;
	int status = verdict_status(verdict);

	/* Where else could it be said? */
	if (lost != NULL)
		verdict_note(verdict, "no log: %s", lost);
	line = verdict_line(verdict);
	guard_status(status);
	guard_write(output, line);
	return status;
}

/*
 * Who wakes this process by what he writes, lmtp(8) or a host, has more to
 * write as a rule, or to wait for.  On a busy machine he goes on first:
 * otherwise it would turn from one to the other in the midst of each message.
 */
static void
give_way(void)
{
#ifdef SCHED_BATCH
	const struct sched_param none = {0};

	if (sched_getscheduler(0) == SCHED_OTHER)
		sched_setscheduler(0, SCHED_BATCH, &none);
#endif
}

/* Postfix's lmtp(8) is told by replies; a crash is a lost connection. */
static int
serve_lmtp(int output, const char *conf)
{
	give_way();
	guard_crashes(-1);
	guard_time(0);
	caller_watch_reader();
	server_run(STDIN_FILENO, output, conf);
	return EX_OK;
}

int
main(int argc, char **argv)
{
	gint64 started = g_get_monotonic_time();
	struct arguments arguments = {.conf = SETTINGS_PATH};
	struct verdict verdict = {0};
	struct wakeup wakeup = {0};
	g_autoptr(GError) error = NULL;
	g_autoptr(Settings) settings = NULL;
	int output = guard_output();
	int status;

	caller_watch(output);
	guard_crashes(output);
	guard_time(TIME_LIMIT_DEFAULT);
	maillog_take_glib();
	if (!parse_arguments(argc, argv, &arguments)) {
		verdict_set(&verdict, VERDICT_DEFER, "4.3.5", USAGE);
	} else if (arguments.version) {
		write_version(output);
		return EX_OK;
	} else if (arguments.lmtp) {
		return serve_lmtp(output, arguments.conf);
	} else {
		maillog_set_queue_id(arguments.queue_id);
		settings = settings_load(arguments.conf, &error);
		if (settings == NULL)
			verdict_set(&verdict, VERDICT_DEFER, "4.3.5", "%s",
			    error->message);
		else
			run(&arguments, settings, started, &wakeup, &verdict);
	}
	status = report(output, &verdict);
	wakeup_start(&wakeup, settings);
	wakeup_clear(&wakeup);
	verdict_clear(&verdict);
	return status;
}
