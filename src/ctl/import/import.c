/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * import: reads a route table of another mailer, prints a route map.
 */

#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/import/import-controls.h"
#include "ctl/import/import-entry.h"
#include "ctl/import/import-formats.h"
#include "ctl/import/import-guess.h"
#include "route/routemap.h"
#include "util/printable.h"
#include "util/slurp.h"

/* As much of the file's name as messages and comments have room for. */
#define NAME_MAX_SHOWN 200

/* Columns of the keys. */
#define KEY_WIDTH "-23"

static const struct import_format *const formats[] = {
    &import_esa,
    &import_qmail,
    &import_mailertable,
    &import_transport,
};

static void
entry_free(gpointer data)
{
	struct import_entry *entry = data;

	g_free(entry->key);
	g_free(entry->shown);
	g_free(entry->value);
	g_free(entry->fault);
	g_free(entry->relay);
	g_free(entry->user);
	g_free(entry);
}

/* NULL: unknown, complain() has said so. */
static const struct import_format *
find_format(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
		if (strcmp(formats[i]->name, name) == 0)
			return formats[i];
	}
	complain("unknown format \"%s\"; expected esa, esa-controls, qmail, "
		 "mailertable or transport",
	    name);
	return NULL;
}

/* As slurp(). */
static char *
slurp_stdin(GString *text)
{
	char buffer[65536];
	gssize count;

	while ((count = read(STDIN_FILENO, buffer, sizeof buffer)) != 0) {
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return g_strdup(g_strerror(errno));
		if (text->len + (gsize)count > ROUTEMAP_SIZE_MAX)
			return g_strdup("larger than 64 MiB");
		g_string_append_len(text, buffer, count);
	}
	return NULL;
}

/* NULL: complain() has said why. */
static GString *
read_file(const char *path, const char *name)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *content = NULL;
	g_autofree char *reason = NULL;
	gsize length = 0;

	if (strcmp(path, "-") == 0) {
		reason = slurp_stdin(text);
	} else {
		reason = slurp(path, ROUTEMAP_SIZE_MAX, &content, &length);
		if (reason == NULL)
			g_string_append_len(text, content, (gssize)length);
	}
	if (reason != NULL) {
		complain("%s: %s", name, reason);
		return NULL;
	}
	/* The mark that some editors begin UTF-8 with. */
	if (g_str_has_prefix(text->str, "\xef\xbb\xbf"))
		g_string_erase(text, 0, 3);
	return g_steal_pointer(&text);
}

static void
say_entry(const struct import *import, const struct import_entry *entry)
{
	if (entry->value != NULL)
		say("%" KEY_WIDTH "s %s\n", entry->key, entry->value);
	else if (entry->shown != NULL)
		say("# %s:%u: left out: %s: %s\n", import->name, entry->line,
		    entry->shown, entry->why);
	else
		say("# %s:%u: left out: %s\n", import->name, entry->line,
		    entry->why);
}

/*
 * Behind the routes: what takes the place of one that had a password.  It is
 * a comment, as mail for a host without its profile would have to wait.
 */
static void
say_login(const struct import_entry *entry)
{
	say("#\n# smtproute.conf:\n");
	say("# [auth line%u]\n", entry->line);
	say("# username = %s\n", entry->user);
	say("# password-file = /etc/smtproute/line%u.password\n", entry->line);
	say("# routes:\n");
	say("# %" KEY_WIDTH "s %s/auth=line%u\n", entry->key, entry->relay,
	    entry->line);
}

/* The entries come in the order of their lines. */
static enum ctl_status
report(const struct import *import)
{
	guint left_out = 0;

	for (guint i = 0; i < import->entries->len; i++) {
		const struct import_entry *entry = import->entries->pdata[i];

		g_assert((entry->value == NULL) == (entry->fault != NULL));
		if (entry->value != NULL)
			continue;
		complain("%s", entry->fault);
		left_out++;
	}
	if (left_out == import->entries->len) {
		complain("%s: no routes in it", import->name);
		return CTL_TROUBLE;
	}
	say("# %s, format %s\n", import->name, import->format->name);
	for (guint i = 0; i < import->entries->len; i++)
		say_entry(import, import->entries->pdata[i]);
	for (guint i = 0; i < import->entries->len; i++) {
		const struct import_entry *entry = import->entries->pdata[i];

		if (entry->relay != NULL)
			say_login(entry);
	}
	return left_out == 0 ? CTL_OK : CTL_NO;
}

static enum ctl_status
import_text(const char *name, const struct import_format *format,
    const GString *text)
{
	struct import import = {.name = name, .format = format};
	enum ctl_status status;

	import.entries = g_ptr_array_new_with_free_func(entry_free);
	import.keys =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	format->read(&import, text->str, text->len);
	status = report(&import);
	g_hash_table_unref(import.keys);
	g_ptr_array_unref(import.entries);
	return status;
}

static enum ctl_status
import_path(const char *path, const struct import_format *format,
    gboolean controls)
{
	g_autofree char *name =
	    printable(strcmp(path, "-") == 0 ? "stdin" : path, NAME_MAX_SHOWN);
	g_autoptr(GString) text = read_file(path, name);

	if (text == NULL)
		return CTL_TROUBLE;
	if (controls ||
	    (format == NULL && import_is_controls(text->str, text->len)))
		return import_controls(name, text->str, text->len);
	if (format == NULL) {
		format = import_guess(text->str, text->len);
		if (format == NULL) {
			complain("%s: cannot tell its format; say it with "
				 "--format",
			    name);
			return CTL_TROUBLE;
		}
		complain("%s: taken for the format %s", name, format->name);
	}
	return import_text(name, format, text);
}

enum ctl_status
ctl_import(const struct ctl *ctl G_GNUC_UNUSED, int argc, char **argv)
{
	static const struct option options[] = {
	    {"format", required_argument, NULL, 'f'},
	    {NULL, 0, NULL, 0},
	};
	const struct import_format *format = NULL;
	gboolean controls = FALSE;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'f')
			return CTL_USAGE;
		controls = strcmp(optarg, IMPORT_CONTROLS) == 0;
		format = controls ? NULL : find_format(optarg);
		if (!controls && format == NULL)
			return CTL_TROUBLE;
	}
	if (argc - optind != 1)
		return CTL_USAGE;
	return import_path(argv[optind], format, controls);
}
