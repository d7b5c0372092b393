/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <stdarg.h>
#include <string.h>

#include "conf/brackets.h"
#include "conf/keyfile.h"
#include "util/bom.h"
#include "util/printable.h"
#include "util/secret.h"
#include "util/slurp.h"

/* Together with the longest list of keys they keep a message to its limit. */
#define PATH_SHOWN 120
#define NAME_SHOWN 60
#define GLIB_SHOWN 200

G_DEFINE_QUARK(smtproute_settings_error, settings_error)

static void
fault_free(gpointer data)
{
	struct settings_fault *fault = data;

	g_error_free(fault->error);
	g_free(fault);
}

static void
add_fault(GPtrArray *faults, guint line, const char *key, GError *error)
{
	struct settings_fault *fault = g_new(struct settings_fault, 1);

	*fault = (struct settings_fault){line, key, error};
	g_ptr_array_add(faults, fault);
}

gboolean
keyfile_refuse(const struct keyfile *keyfile, guint line, const char *key,
    enum settings_error code, const char *format, ...)
{
	g_autofree char *what = NULL;
	va_list arguments;

	va_start(arguments, format);
	what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	add_fault(keyfile->faults, line, key,
	    g_error_new(SETTINGS_ERROR, (gint)code, "%s:%u: %s", keyfile->path,
		line, what));
	return keyfile->faults->len < keyfile->faults_max;
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
	g_autofree char *hidden = brackets_hide_all(text, length);

	/* Without this flag GLib silently drops keys like "routes[de]". */
	return g_key_file_load_from_data(file, hidden, strlen(hidden),
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
is_group(const char *line, const char *end)
{
	while (line < end && (*line == ' ' || *line == '\t'))
		line++;
	return line < end && *line == '[';
}

/*
 * Makes a comment of a line that is no text or no line of a key file.  If it
 * would have been a group, its keys must not become those of the group before.
 */
static void
blank_line(char *text, gsize length, guint line)
{
	char *at = text + lines_length(text, line - 1);
	const char *end = text + length;
	gboolean group = is_group(at, end);

	do {
		for (; at < end && *at != '\n'; at++)
			*at = '#';
		if (at < end)
			at++;
	} while (group && at < end && !is_group(at, end));
}

static gboolean
check_bytes(const struct keyfile *keyfile, char *text, gsize length)
{
	const char *end;

	while (!g_utf8_validate(text, (gssize)length, &end)) {
		guint line = count_lines(text, (gsize)(end - text));

		if (!keyfile_refuse(keyfile, line, NULL, SETTINGS_ERROR_SYNTAX,
			"%s; expected text in UTF-8",
			*end == '\0' ? "NUL byte" : "byte that is not UTF-8"))
			return FALSE;
		blank_line(text, length, line);
	}
	return TRUE;
}

static void
mask(char *from, const char *end)
{
	memset(from, '*', (gsize)(end - from));
}

/*
 * A line of the group [@group], which is about secrets: what may be one by
 * mistake is not shown either.
 */
static void
take_secret(const struct keyfile *keyfile, const char *group, char *line,
    gsize length)
{
	char *end = line + length;
	char *value = memchr(line, '=', length);
	g_autofree char *name = NULL;

	/* That is a fault, which shows no text. */
	if (memchr(line, '\0', length) != NULL)
		return;
	while (end > line && g_ascii_isspace(end[-1]))
		end--;
	if (value == NULL) {
		mask(line, end);
		return;
	}
	name = g_strchomp(g_strndup(line, (gsize)(value - line)));
	for (value++; value < end && g_ascii_isspace(*value); value++)
		;
	if (value == end || g_str_equal(name, "username") ||
	    (!g_str_equal(name, "password") && *value == '/'))
		return;
	if (g_str_equal(name, "password")) {
		secret_protect();
		g_hash_table_replace(keyfile->secrets, g_strdup(group),
		    secret_new(value, (gsize)(end - value)));
	}
	mask(value, end);
}

static void
take_secrets(const struct keyfile *keyfile, char *text, gsize length)
{
	g_autofree char *group = g_strdup("");
	char *end = text + length;
	char *next;

	for (char *line = text; line < end; line = next) {
		char *line_end = memchr(line, '\n', (gsize)(end - line));
		gsize size;

		if (line_end == NULL)
			line_end = end;
		next = line_end + 1;
		while (line < line_end && g_ascii_isspace(*line))
			line++;
		size = (gsize)(line_end - line);
		if (size > 0 && line[0] == '[') {
			g_free(group);
			group = g_strndup(line + 1, size - 1);
			group[strcspn(group, "]")] = '\0';
		} else if (size > 0 && line[0] != '#' &&
		    g_str_has_prefix(group, "auth ")) {
			take_secret(keyfile, group, line, size);
		}
	}
}

const char *
keyfile_secret(const struct keyfile *keyfile, const char *group)
{
	return g_hash_table_lookup(keyfile->secrets, group);
}

/* Leaves in @text what has loaded. */
static gboolean
parse(const struct keyfile *keyfile, char *text, gsize length)
{
	if (!check_bytes(keyfile, text, length))
		return FALSE;
	for (;;) {
		g_autoptr(GError) reason = NULL;
		g_autofree char *shown = NULL;
		guint line;

		if (load(keyfile->file, text, length, &reason))
			return TRUE;
		shown = printable(reason->message, GLIB_SHOWN);
		line = find_syntax_error(text, length);
		if (!keyfile_refuse(keyfile, line, NULL, SETTINGS_ERROR_SYNTAX,
			"%s; expected [group], key = value or # comment",
			shown))
			return FALSE;
		blank_line(text, length, line);
	}
}

/* What keyfile->lines are found by; @key is NULL for a group. */
static char *
line_id(const char *group, const char *key)
{
	if (key == NULL)
		return g_strdup(group);
	return g_strconcat(group, "\n", key, NULL);
}

/*
 * GLib takes a key or group that comes twice, and the last one wins; here it
 * is an error.
 */
static gboolean
note_line(const struct keyfile *keyfile, const char *group, const char *key,
    guint line)
{
	g_autofree char *id = line_id(group, key);
	guint first = GPOINTER_TO_UINT(g_hash_table_lookup(keyfile->lines, id));

	if (first != 0) {
		g_autofree char *shown =
		    printable(key != NULL ? key : group, NAME_SHOWN);

		return keyfile_refuse(keyfile, line, NULL, SETTINGS_ERROR_KEY,
		    "%s \"%s\" again; expected once, and line %u has it",
		    key != NULL ? "key" : "group", shown, first);
	}
	g_hash_table_insert(keyfile->lines, g_steal_pointer(&id),
	    GUINT_TO_POINTER(line));
	if (key == NULL)
		g_ptr_array_add(keyfile->groups, g_strdup(group));
	return TRUE;
}

/* @line: key, '=', value. */
static void
note_column(const struct keyfile *keyfile, const char *group, const char *line)
{
	const char *key = line + strspn(line, " \t");
	const char *sign = strchr(key, '=');
	const char *value = sign + 1 + strspn(sign + 1, " \t");
	g_autofree char *name = g_strchomp(g_strndup(key, (gsize)(sign - key)));

	g_hash_table_insert(keyfile->columns, line_id(group, name),
	    GUINT_TO_POINTER(value - line + 1));
}

/* @text has loaded, so a look at the first character tells what a line is. */
static gboolean
note_lines(const struct keyfile *keyfile, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	const char *group = "";

	for (guint i = 0; lines[i] != NULL; i++) {
		g_autofree char *whole = g_strdup(lines[i]);
		char *line = g_strchug(lines[i]);
		const char *key = NULL;

		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (line[0] == '[') {
			*strrchr(line, ']') = '\0';
			group = line + 1;
		} else {
			note_column(keyfile, group, whole);
			line[strcspn(line, "=")] = '\0';
			key = g_strchomp(line);
		}
		if (!note_line(keyfile, group, key, i + 1))
			return FALSE;
	}
	return TRUE;
}

guint
keyfile_line(const struct keyfile *keyfile, const char *group, const char *key)
{
	g_autofree char *id = line_id(group, key);

	return GPOINTER_TO_UINT(g_hash_table_lookup(keyfile->lines, id));
}

guint
keyfile_column(const struct keyfile *keyfile, const char *group,
    const char *key)
{
	g_autofree char *id = line_id(group, key);

	return GPOINTER_TO_UINT(g_hash_table_lookup(keyfile->columns, id));
}

char *
keyfile_value(const struct keyfile *keyfile, const char *group, const char *key)
{
	g_autofree char *hidden = brackets_hide(group);
	/* Not the string: to GLib "CORP\test" has a tab. */
	char *value = g_key_file_get_value(keyfile->file, hidden, key, NULL);

	return value != NULL ? g_strchomp(value) : NULL;
}

const GPtrArray *
keyfile_groups(const struct keyfile *keyfile)
{
	return keyfile->groups;
}

char **
keyfile_keys(const struct keyfile *keyfile, const char *group)
{
	g_autofree char *hidden = brackets_hide(group);

	return g_key_file_get_keys(keyfile->file, hidden, NULL, NULL);
}

char *
keyfile_place(const struct keyfile *keyfile, const char *group, const char *key)
{
	return g_strdup_printf("%s:%u", keyfile->path,
	    keyfile_line(keyfile, group, key));
}

gboolean
keyfile_has_fault(const struct keyfile *keyfile, guint line)
{
	const GPtrArray *faults = keyfile->faults;

	for (guint i = 0; i < faults->len; i++) {
		const struct settings_fault *fault = faults->pdata[i];

		if (fault->line == line)
			return TRUE;
	}
	return FALSE;
}

struct keyfile *
keyfile_new(const char *path, guint faults_max)
{
	struct keyfile *keyfile = g_new0(struct keyfile, 1);

	keyfile->path = printable(path, PATH_SHOWN);
	keyfile->file = g_key_file_new();
	keyfile->groups = g_ptr_array_new_with_free_func(g_free);
	keyfile->lines =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	keyfile->columns =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	keyfile->secrets = g_hash_table_new_full(g_str_hash, g_str_equal,
	    g_free, (GDestroyNotify)secret_free);
	keyfile->faults = g_ptr_array_new_with_free_func(fault_free);
	keyfile->faults_max = faults_max;
	return keyfile;
}

gboolean
keyfile_load(struct keyfile *keyfile, const char *path)
{
	g_autofree char *text = NULL;
	g_autofree char *reason = NULL;
	gsize length;
	gsize mark;

	reason = slurp(path, SETTINGS_SIZE_MAX, &text, &length);
	if (reason != NULL) {
		add_fault(keyfile->faults, 0, NULL,
		    g_error_new(SETTINGS_ERROR, SETTINGS_ERROR_FILE, "%s: %s",
			keyfile->path, reason));
		return FALSE;
	}
	mark = bom_length(text, length);
	keyfile->byte_order_mark = mark > 0;
	memset(text, ' ', mark);
	take_secrets(keyfile, text, length);
	return parse(keyfile, text, length) && note_lines(keyfile, text);
}

static gint
compare_lines(gconstpointer a, gconstpointer b)
{
	const struct settings_fault *const *left = a;
	const struct settings_fault *const *right = b;

	return ((*left)->line > (*right)->line) -
	    ((*left)->line < (*right)->line);
}

const GPtrArray *
keyfile_faults(const struct keyfile *keyfile)
{
	g_ptr_array_sort(keyfile->faults, compare_lines);
	return keyfile->faults;
}

void
keyfile_free(struct keyfile *keyfile)
{
	g_ptr_array_unref(keyfile->faults);
	g_hash_table_destroy(keyfile->secrets);
	g_hash_table_destroy(keyfile->columns);
	g_hash_table_destroy(keyfile->lines);
	g_ptr_array_unref(keyfile->groups);
	g_key_file_free(keyfile->file);
	g_free(keyfile->path);
	g_free(keyfile);
}
