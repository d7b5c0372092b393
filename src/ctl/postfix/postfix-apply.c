/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The edits are made in copies, for the diff, which then take the place of the
 * files, each in one step: a failure between the two leaves both whole, and
 * master.cf comes first, since a service that nothing leads to does no harm.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include <glib/gstdio.h>

#include "ctl/ctl.h"
#include "ctl/lmtpclient.h"
#include "ctl/postconf.h"
#include "ctl/postfix/postfix-apply.h"
#include "ctl/postfix/postfix-maps.h"
#include "ctl/postfix/replace.h"
#include "ctl/postfix/status-service.h"
#include "ctl/scratch.h"
#include "ctl/tables.h"
#include "ctl/transport.h"
#include "util/autofd.h"
#include "util/printable.h"
#include "util/slurp.h"

/* Nobody's main.cf is as large. */
#define FILE_MAX (16 * 1024 * 1024)

/* As much of their text as a complaint quotes. */
#define TEXT_SHOWN 300

/* Of main.cf, beside transport_maps. */
#define PARAMETERS_MAX 3

enum file {
	FILE_MASTER,
	FILE_MAIN,
	FILE_COUNT,
};

static const char *const files[] = {
    [FILE_MASTER] = "master.cf",
    [FILE_MAIN] = "main.cf",
};

/* What is to be done; a NULL is nothing. */
struct edits {
	char *service;
	char *parameters[PARAMETERS_MAX];
	gsize count;
	char *maps;
};

static gboolean
is_writable(const char *path)
{
	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0)
		return TRUE;
	complain("%s: %s; expected leave to write", path, g_strerror(errno));
	return FALSE;
}

/* postconf(1) would put a file in the place of a link. */
static gboolean
is_no_link(const char *path)
{
	g_autofree char *target = g_file_read_link(path, NULL);
	g_autofree char *shown = NULL;

	if (target == NULL)
		return TRUE;
	shown = printable(target, TEXT_SHOWN);
	complain("%s: is a link to %s, which postconf(1) would replace; "
		 "expected a file",
	    path, shown);
	return FALSE;
}

/* postconf(1) sleeps until a file that it reads is no longer young. */
static gboolean
write_copy(const char *path, const char *text, gsize length)
{
	g_autoptr(GError) error = NULL;
	struct utimbuf times = {0};

	if (!g_file_set_contents(path, text, (gssize)length, &error)) {
		complain("%s", error->message);
		return FALSE;
	}
	g_utime(path, &times);
	return TRUE;
}

/*
 * Copies both files, whose texts join @before; before that, can they be
 * replaced at all?
 */
static gboolean
copy_files(const char *from, const char *to, GBytes **before)
{
	if (!is_writable(from))
		return FALSE;
	for (gsize i = 0; i < FILE_COUNT; i++) {
		g_autofree char *path = g_build_filename(from, files[i], NULL);
		g_autofree char *copy = g_build_filename(to, files[i], NULL);
		g_autofree char *reason = NULL;
		g_autofree char *text = NULL;
		gsize length;

		if (!is_no_link(path) || !is_writable(path))
			return FALSE;
		reason = slurp(path, FILE_MAX, &text, &length);
		if (reason != NULL) {
			complain("%s: %s", path, reason);
			return FALSE;
		}
		if (!write_copy(copy, text, length))
			return FALSE;
		before[i] = g_bytes_new_take(g_steal_pointer(&text), length);
	}
	return TRUE;
}

static void
edits_clear(struct edits *edits)
{
	g_free(edits->service);
	for (gsize i = 0; i < edits->count; i++)
		g_free(edits->parameters[i]);
	g_free(edits->maps);
}

/* FALSE: the service of this name is another's, or its user is missing. */
static gboolean
plan_service(const struct postfix *postfix, const char *folder,
    struct edits *edits, GError **error)
{
	g_autoptr(GPtrArray) services = postconf_services(folder, error);
	g_autofree char *level = NULL;
	g_auto(GStrv) parts = NULL;
	const struct service *now;
	const char *user = NULL;

	if (services == NULL)
		return FALSE;
	now = postconf_find(services, postfix_name(postfix), "unix");
	if (now != NULL && !postfix_is_ours(postfix, now)) {
		g_set_error(error, COMMAND_ERROR, COMMAND_ERROR_FAILED,
		    "master.cf: %s/unix does not run smtproute by %s; "
		    "expected the name to be free, so rename that service",
		    postfix_name(postfix), postfix->lmtp ? "spawn" : "pipe");
		return FALSE;
	}
	if (now != NULL)
		user = service_attribute(now, "user");
	parts = g_strsplit(user != NULL ? user : SERVICE_USER, ":", 2);
	if (parts[0] != NULL && getpwnam(parts[0]) == NULL) {
		g_set_error(error, COMMAND_ERROR, COMMAND_ERROR_FAILED,
		    "user %s does not exist; expected one: useradd --system "
		    "--home-dir / --shell /usr/sbin/nologin %s",
		    parts[0], parts[0]);
		return FALSE;
	}
	level = postconf_value(folder, "compatibility_level", TRUE, error);
	if (level == NULL)
		return FALSE;
	if (postfix_service_differs(postfix, now, level)) {
		g_autofree char *text = postfix_service(postfix, now);

		edits->service =
		    g_strdup_printf("%s/unix=%s", postfix_name(postfix), text);
	}
	return TRUE;
}

static gboolean
is_not(const char *value, const char *expected)
{
	return strcmp(value, expected) != 0;
}

static gboolean
is_short_life(const char *value, const char *expected G_GNUC_UNUSED)
{
	return lmtpclient_is_short(value, LMTPCLIENT_LIFE_MIN);
}

static gboolean
is_short_wait(const char *value, const char *expected)
{
	guint64 seconds;

	return postconf_seconds(expected, &seconds) &&
	    lmtpclient_is_short(value, seconds);
}

/* A parameter that is to be set if it is at fault. */
struct need {
	gboolean lmtp;
	const char *name;
	const char *value;
	gboolean (*is_fault)(const char *value, const char *expected);
};

static const struct need needs[] = {
    {FALSE, POSTFIX_LIMIT, "1", is_not},
    {TRUE, SERVICE_LMTP "_time_limit", LMTPCLIENT_LIFE, is_short_life},
    {TRUE, LMTPCLIENT_XFORWARD, "yes", is_not},
    {TRUE, LMTPCLIENT_DONE, "600s", is_short_wait},
};

static gboolean
plan_parameters(const struct postfix *postfix, const char *folder,
    struct edits *edits, GError **error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(needs); i++) {
		const struct need *need = &needs[i];
		g_autofree char *value = NULL;

		if (need->lmtp != postfix->lmtp)
			continue;
		value = postconf_value(folder, need->name, TRUE, error);
		if (value == NULL)
			return FALSE;
		if (need->is_fault(value, need->value))
			edits->parameters[edits->count++] =
			    g_strdup_printf("%s=%s", need->name, need->value);
	}
	return TRUE;
}

static gboolean
edit_master(const char *folder, const struct edits *edits, GError **error)
{
	const char *const list[] = {edits->service, NULL};

	return edits->service == NULL ||
	    postconf_edit(folder, "-M", list, error);
}

/* All parameters in one step. */
static gboolean
edit_main(const char *folder, const struct edits *edits, GError **error)
{
	const char *list[PARAMETERS_MAX + 2] = {NULL};
	gsize count = 0;

	for (gsize i = 0; i < edits->count; i++)
		list[count++] = edits->parameters[i];
	if (edits->maps != NULL)
		list[count++] = edits->maps;
	return count == 0 || postconf_edit(folder, "-e", list, error);
}

static gboolean
try_agent(const struct postfix *postfix, const char *copy, struct edits *edits,
    GError **error)
{
	/* The parameters' defaults are there once the service is. */
	return plan_service(postfix, copy, edits, error) &&
	    edit_master(copy, edits, error) &&
	    plan_parameters(postfix, copy, edits, error) &&
	    postfix_maps(postfix, copy, &edits->maps, error) &&
	    edit_main(copy, edits, error);
}

static gboolean
try_status(const struct postfix *postfix, const char *copy, struct edits *edits,
    GError **error)
{
	g_autoptr(GPtrArray) services = postconf_services(copy, error);

	return services != NULL &&
	    status_plan(postfix, services, &edits->service, error) &&
	    edit_master(copy, edits, error);
}

/* Fills @edits, and makes them in @copy on the way. */
static gboolean
try_edits(const struct postfix *postfix, enum apply what, const char *copy,
    struct edits *edits)
{
	g_autoptr(GError) error = NULL;
	gboolean done = what == APPLY_STATUS
	    ? try_status(postfix, copy, edits, &error)
	    : try_agent(postfix, copy, edits, &error);

	if (!done)
		complain("%s", error->message);
	return done;
}

/* Says how the copies differ from the files; nothing is cut or escaped. */
static gboolean
say_diff(const char *folder, const char *copy, gboolean *ret_differ)
{
	for (gsize i = 0; i < FILE_COUNT; i++) {
		g_autofree char *old = g_build_filename(folder, files[i], NULL);
		g_autofree char *new = g_build_filename(copy, files[i], NULL);
		g_autofree char *label = g_strconcat(old, " (new)", NULL);
		const char *const argv[] = {"diff", "-u", "-L", old, "-L",
		    label, old, new, NULL};
		const struct command command = {.argv = argv};
		g_autoptr(GError) error = NULL;
		g_autofree char *output = NULL;
		g_autofree char *complaint = NULL;
		int status = command_run(&command, &output, &complaint, &error);

		if (status < 0 || status > 1) {
			complain("%s",
			    error != NULL ? error->message
					  : g_strstrip(complaint));
			return FALSE;
		}
		say("%s", output);
		*ret_differ = *ret_differ || status == 1;
	}
	/* Nothing is changed unseen. */
	return say_flush();
}

/* The copy takes the place of the file; unless nothing in it has changed. */
static gboolean
install(const char *folder, const char *copy, enum file file,
    GBytes *const *before, GError **error)
{
	g_autofree char *from = g_build_filename(copy, files[file], NULL);
	g_autofree char *path = g_build_filename(folder, files[file], NULL);
	g_autofree char *reason = NULL;
	g_autoptr(GBytes) text = NULL;
	char *read = NULL;
	gsize length;

	reason = slurp(from, FILE_MAX, &read, &length);
	if (reason != NULL) {
		g_set_error(error, COMMAND_ERROR, COMMAND_ERROR_FAILED,
		    "%s: %s", from, reason);
		return FALSE;
	}
	text = g_bytes_new_take(read, length);
	return g_bytes_equal(text, before[file]) ||
	    replace_file(path, text, before[file], error);
}

static gboolean
make_edits(const char *folder, const char *copy, const struct edits *edits,
    GBytes *const *before)
{
	g_autoptr(GError) error = NULL;

	if (!install(folder, copy, FILE_MASTER, before, &error)) {
		complain("%s; nothing was changed", error->message);
		return FALSE;
	}
	if (!install(folder, copy, FILE_MAIN, before, &error)) {
		complain("%s; main.cf is as it was%s", error->message,
		    edits->service != NULL
			? ", master.cf has the service, which gets no mail "
			  "yet"
			: "");
		return FALSE;
	}
	return TRUE;
}

static void
say_next(const char *folder)
{
	if (g_getenv("MAIL_CONFIG") != NULL)
		say("done; next: postfix -c %s reload\n", folder);
	else
		say("done; next: postfix reload\n");
}

static gboolean
apply(const struct postfix *postfix, enum apply what, const char *folder,
    const char *copy, GBytes **before)
{
	g_autofree char *table = transport_table(postfix->routes);
	g_autoptr(GError) error = NULL;
	struct edits edits = {0};
	gboolean differ = FALSE;
	gboolean done;

	/* Postfix would defer all mail, also what never was for smtproute. */
	if (!tables_try(table, &error)) {
		complain("%s; nothing was changed", error->message);
		return FALSE;
	}
	done = copy_files(folder, copy, before) &&
	    try_edits(postfix, what, copy, &edits) &&
	    say_diff(folder, copy, &differ) &&
	    (!differ || make_edits(folder, copy, &edits, before));
	edits_clear(&edits);
	if (done && differ)
		say_next(folder);
	else if (done)
		say("nothing to change\n");
	return done;
}

gboolean
postfix_apply(const struct postfix *postfix, enum apply what)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *folder =
	    postconf_value(NULL, "config_directory", FALSE, &error);
	g_autofree char *copy = NULL;
	GBytes *before[FILE_COUNT] = {NULL};
	gboolean applied;

	if (folder == NULL) {
		complain("%s", error->message);
		return FALSE;
	}
	copy = scratch_make();
	if (copy == NULL)
		return FALSE;
	applied = apply(postfix, what, folder, copy, before);
	scratch_remove(copy);
	for (gsize i = 0; i < FILE_COUNT; i++)
		g_clear_pointer(&before[i], g_bytes_unref);
	return applied;
}
