/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <stdarg.h>
#include <string.h>

#include "domain.h"
#include "endpoint.h"
#include "printable.h"
#include "setting.h"
#include "settings.h"
#include "slurp.h"

/* Together with the longest list of keys they keep a message to its limit. */
#define PATH_SHOWN  120
#define VALUE_SHOWN 60
#define GLIB_SHOWN  200

G_DEFINE_QUARK(smtproute_settings_error, settings_error)

/* What a file is read with. */
struct reader {
	const char *path; /* as messages show it */
	GKeyFile *file;
	GHashTable *lines; /* "group" and "group\nkey" -> line, from 1 */
	struct settings *settings;
};

static gboolean
refuse(const struct reader *reader, guint line, enum settings_error code,
    GError **error, const char *format, ...) G_GNUC_PRINTF(5, 6);

/* Always FALSE, for the caller to return. */
static gboolean
refuse(const struct reader *reader, guint line, enum settings_error code,
    GError **error, const char *format, ...)
{
	g_autofree char *what = NULL;
	va_list arguments;

	va_start(arguments, format);
	what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_set_error(error, SETTINGS_ERROR, (gint)code, "%s:%u: %s",
	    reader->path, line, what);
	return FALSE;
}

/* The length of the first @lines lines, which are not all. */
static gsize
lines_length(const char *text, guint lines)
{
	const char *end = text;

	while (lines-- > 0)
		end = strchr(end, '\n') + 1;
	return (gsize)(end - text);
}

static guint
count_lines(const char *text, gsize length)
{
	guint lines = 1;

	for (gsize i = 0; i < length; i++)
		lines += text[i] == '\n';
	return lines;
}

static gboolean
load(GKeyFile *file, const char *text, gsize length, GError **error)
{
	/* Without this flag GLib silently drops keys like "routes[de]". */
	return g_key_file_load_from_data(file, text, length,
	    G_KEY_FILE_KEEP_TRANSLATIONS, error);
}

/*
 * GLib does not say where it failed: in the last line of the shortest run of
 * lines that does not load.
 */
static guint
find_syntax_error(const char *text, gsize length)
{
	guint good = 0;
	guint bad = count_lines(text, length);

	while (bad - good > 1) {
		g_autoptr(GKeyFile) file = g_key_file_new();
		guint middle = good + (bad - good) / 2;

		if (load(file, text, lines_length(text, middle), NULL))
			good = middle;
		else
			bad = middle;
	}
	return bad;
}

static gboolean
parse(const struct reader *reader, const char *text, gsize length,
    GError **error)
{
	g_autoptr(GError) reason = NULL;
	g_autofree char *shown = NULL;
	const char *end;

	if (!g_utf8_validate(text, (gssize)length, &end))
		return refuse(reader, count_lines(text, (gsize)(end - text)),
		    SETTINGS_ERROR_SYNTAX, error, "%s; expected text in UTF-8",
		    *end == '\0' ? "NUL byte" : "byte that is not UTF-8");
	if (load(reader->file, text, length, &reason))
		return TRUE;
	shown = printable(reason->message, GLIB_SHOWN);
	return refuse(reader, find_syntax_error(text, length),
	    SETTINGS_ERROR_SYNTAX, error,
	    "%s; expected [group], key = value or # comment", shown);
}

/* What struct reader's lines are found by; @key is NULL for a group. */
static char *
line_id(const char *group, const char *key)
{
	if (key == NULL)
		return g_strdup(group);
	return g_strdup_printf("%s\n%s", group, key);
}

/*
 * GLib takes a key or group that comes twice, and the last one wins; here it
 * is an error.
 */
static gboolean
note_line(const struct reader *reader, const char *group, const char *key,
    guint line, GError **error)
{
	g_autofree char *id = line_id(group, key);
	guint first = GPOINTER_TO_UINT(g_hash_table_lookup(reader->lines, id));

	if (first != 0) {
		g_autofree char *shown =
		    printable(key != NULL ? key : group, VALUE_SHOWN);

		return refuse(reader, line, SETTINGS_ERROR_KEY, error,
		    "%s \"%s\" again; expected once, and line %u has it",
		    key != NULL ? "key" : "group", shown, first);
	}
	g_hash_table_insert(reader->lines, g_steal_pointer(&id),
	    GUINT_TO_POINTER(line));
	return TRUE;
}

/* @text has loaded, so a look at the first character tells what a line is. */
static gboolean
note_lines(const struct reader *reader, const char *text, GError **error)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	const char *group = "";

	for (guint i = 0; lines[i] != NULL; i++) {
		char *line = g_strchug(lines[i]);
		const char *key = NULL;

		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (line[0] == '[') {
			line[strcspn(line, "]")] = '\0';
			group = line + 1;
		} else {
			line[strcspn(line, "=")] = '\0';
			key = g_strchomp(line);
		}
		if (!note_line(reader, group, key, i + 1, error))
			return FALSE;
	}
	return TRUE;
}

/* No name holds a blank, so nothing else looks like a name and its port. */
static char *
host_id(const char *name, guint port)
{
	return g_strdup_printf("%s %u", name, port);
}

/* NULL: @text is neither NAME nor NAME:PORT. */
static char *
parse_host(const char *text)
{
	g_autofree char *name = g_strdup(text);
	g_autofree char *canonical = NULL;
	char *colon = strchr(name, ':');
	guint64 port = 0;

	/* More colons than one are an IPv6 address, to its end. */
	if (colon != NULL && strchr(colon + 1, ':') == NULL) {
		*colon = '\0';
		if (!g_ascii_string_to_unsigned(colon + 1, 10, 1, G_MAXUINT16,
			&port, NULL))
			return NULL;
	}
	canonical = endpoint_canonical(name);
	if (canonical == NULL)
		canonical = domain_canonical(name, NULL);
	return canonical != NULL ? host_id(canonical, (guint)port) : NULL;
}

static guint
line_of(const struct reader *reader, const char *group, const char *key)
{
	g_autofree char *id = line_id(group, key);

	return GPOINTER_TO_UINT(g_hash_table_lookup(reader->lines, id));
}

static gboolean
read_key(const struct reader *reader, const char *group, const char *name,
    enum setting_place place, struct host_settings *host, GError **error)
{
	const struct setting *setting = setting_find(place, name);
	guint line = line_of(reader, group, name);
	g_autoptr(GError) reason = NULL;
	g_autofree char *shown = NULL;
	g_autofree char *value = NULL;

	if (setting == NULL) {
		g_autofree char *accepted = setting_list(place);

		shown = printable(name, VALUE_SHOWN);
		return refuse(reader, line, SETTINGS_ERROR_KEY, error,
		    "unknown key \"%s\"; expected %s", shown, accepted);
	}
	/* With a bad escape GLib returns an error and a value. */
	value = g_key_file_get_string(reader->file, group, name, &reason);
	if (reason != NULL)
		return refuse(reader, line, SETTINGS_ERROR_VALUE, error,
		    "backslash in the value of %s; expected \\\\ for one, "
		    "or \\s for a blank",
		    name);
	g_strchomp(value);
	if (setting_take(setting, value, reader->settings, host))
		return TRUE;
	shown = printable(value, VALUE_SHOWN);
	return refuse(reader, line, SETTINGS_ERROR_VALUE, error,
	    "bad value \"%s\" of %s; expected %s", shown, name,
	    setting->accepted);
}

/* The new host's settings, all unset; NULL with an error. */
static struct host_settings *
add_host(const struct reader *reader, const char *group, GError **error)
{
	g_autofree char *id = parse_host(group + strlen("host "));
	g_autofree char *shown = printable(group, VALUE_SHOWN);
	guint line = line_of(reader, group, NULL);
	struct host_settings *host;

	if (id == NULL) {
		refuse(reader, line, SETTINGS_ERROR_VALUE, error,
		    "bad host in [%s]; expected a host name or IPv4 address, "
		    "with :PORT or without, or an IPv6 address without "
		    "brackets",
		    shown);
		return NULL;
	}
	if (g_hash_table_contains(reader->settings->hosts, id)) {
		refuse(reader, line, SETTINGS_ERROR_KEY, error,
		    "second group for the host of [%s]; expected one", shown);
		return NULL;
	}
	host = g_new0(struct host_settings, 1);
	g_hash_table_insert(reader->settings->hosts, g_steal_pointer(&id),
	    host);
	return host;
}

static gboolean
read_group(const struct reader *reader, const char *group, GError **error)
{
	g_auto(GStrv) names =
	    g_key_file_get_keys(reader->file, group, NULL, NULL);
	struct host_settings *host = &reader->settings->defaults;
	enum setting_place place = IN_SMTPROUTE;

	if (g_str_has_prefix(group, "host ")) {
		place = IN_HOST;
		host = add_host(reader, group, error);
		if (host == NULL)
			return FALSE;
	} else if (strcmp(group, "smtproute") != 0) {
		g_autofree char *shown = printable(group, VALUE_SHOWN);

		return refuse(reader, line_of(reader, group, NULL),
		    SETTINGS_ERROR_KEY, error,
		    "unknown group [%s]; expected [smtproute], [host NAME] or "
		    "[host NAME:PORT]",
		    shown);
	}
	for (gsize i = 0; names[i] != NULL; i++) {
		if (!read_key(reader, group, names[i], place, host, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
read_groups(const struct reader *reader, GError **error)
{
	g_auto(GStrv) groups = g_key_file_get_groups(reader->file, NULL);

	for (gsize i = 0; groups[i] != NULL; i++) {
		if (!read_group(reader, groups[i], error))
			return FALSE;
	}
	return TRUE;
}

static struct settings *
settings_new(void)
{
	struct settings *settings = g_new0(struct settings, 1);

	settings->texts = g_string_chunk_new(512);
	settings->hosts =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	setting_take_defaults(settings);
	return settings;
}

struct settings *
settings_load(const char *path, GError **error)
{
	g_autofree char *shown = printable(path, PATH_SHOWN);
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GHashTable) lines =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(Settings) settings = settings_new();
	struct reader reader = {shown, file, lines, settings};
	g_autofree char *text = NULL;
	g_autofree char *reason = NULL;
	gsize length;

	reason = slurp(path, SETTINGS_SIZE_MAX, &text, &length);
	if (reason != NULL) {
		g_set_error(error, SETTINGS_ERROR, SETTINGS_ERROR_FILE,
		    "%s: %s", shown, reason);
		return NULL;
	}
	if (!parse(&reader, text, length, error) ||
	    !note_lines(&reader, text, error) || !read_groups(&reader, error))
		return NULL;
	return g_steal_pointer(&settings);
}

/* What @from has set. */
static void
overlay(struct host_settings *to, const struct host_settings *from)
{
	const struct timeouts *timeouts = &from->timeouts;

	if (timeouts->connect != 0)
		to->timeouts.connect = timeouts->connect;
	if (timeouts->greeting != 0)
		to->timeouts.greeting = timeouts->greeting;
	if (timeouts->command != 0)
		to->timeouts.command = timeouts->command;
	if (timeouts->data != 0)
		to->timeouts.data = timeouts->data;
	if (timeouts->final != 0)
		to->timeouts.final = timeouts->final;
	if (from->tls != TLS_UNSET)
		to->tls = from->tls;
	if (from->auth != NULL)
		to->auth = from->auth;
	if (from->bind != NULL)
		to->bind = from->bind;
}

struct host_settings
settings_host(const struct settings *settings, const char *name, guint16 port)
{
	const guint ports[] = {0, port};
	struct host_settings result = settings->defaults;

	for (gsize i = 0; i < G_N_ELEMENTS(ports); i++) {
		g_autofree char *id = host_id(name, ports[i]);
		const struct host_settings *host =
		    g_hash_table_lookup(settings->hosts, id);

		if (host != NULL)
			overlay(&result, host);
	}
	return result;
}

void
settings_free(struct settings *settings)
{
	g_hash_table_destroy(settings->hosts);
	g_string_chunk_free(settings->texts);
	g_free(settings);
}
