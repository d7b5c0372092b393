/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/lines.h"
#include "ctl/postconf.h"
#include "ctl/trace/maillogs.h"
#include "util/autofd.h"

/* Longer ones are nobody's; syslogd(8) has 8 kB at most, as a rule. */
#define LINE_BYTES (64 * 1024)

/* Gigabytes to unpack. */
#define TIME (10 * G_TIME_SPAN_MINUTE)

/* More than anybody keeps; a wrong pattern may match a spool. */
#define FILES_MAX 1000

static gint64
changed(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return 0;
	return (gint64)st.st_mtim.tv_sec * G_USEC_PER_SEC +
	    st.st_mtim.tv_nsec / 1000;
}

/* "mail.log.10.gz", "mail.log.2", "mail.log", if they are equally old. */
static int
compare_paths(const void *a, const void *b)
{
	const char *one = *(const char *const *)a;
	const char *other = *(const char *const *)b;
	gint64 difference = changed(one) - changed(other);
	gsize length = strlen(one);
	gsize others = strlen(other);

	if (difference != 0)
		return difference < 0 ? -1 : 1;
	if (length != others)
		return length > others ? -1 : 1;
	return strcmp(other, one);
}

void
maillogs_sort(GPtrArray *paths)
{
	g_ptr_array_sort(paths, compare_paths);
}

/* @path without what is special to glob(7), and all that begins so. */
static void
add_files(GPtrArray *paths, const char *path)
{
	g_autoptr(GString) pattern = g_string_new(NULL);
	glob_t found = {0};

	for (const char *p = path; *p != '\0'; p++) {
		if (strchr("*?[\\", *p) != NULL)
			g_string_append_c(pattern, '\\');
		g_string_append_c(pattern, *p);
	}
	g_string_append_c(pattern, '*');
	if (glob(pattern->str, 0, NULL, &found) != 0)
		return;
	for (gsize i = 0; i < found.gl_pathc && paths->len < FILES_MAX; i++) {
		if (g_file_test(found.gl_pathv[i], G_FILE_TEST_IS_REGULAR) &&
		    !g_ptr_array_find_with_equal_func(paths, found.gl_pathv[i],
			g_str_equal, NULL))
			g_ptr_array_add(paths, g_strdup(found.gl_pathv[i]));
	}
	globfree(&found);
}

GPtrArray *
maillogs_find(const struct settings *settings)
{
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *own = NULL;

	if (ctl_has_postfix())
		own = postconf_value(NULL, "maillog_file", TRUE, NULL);
	add_files(paths, "/var/log/mail.log");
	add_files(paths, "/var/log/maillog");
	if (own != NULL && own[0] == '/')
		add_files(paths, own);
	if (settings != NULL && settings->log != NULL &&
	    settings->log[0] == '/')
		add_files(paths, settings->log);
	maillogs_sort(paths);
	return paths;
}

static gboolean
read_command(const char *const *argv, struct lines *lines, GError **error)
{
	const struct command command = {.argv = argv, .time = TIME};
	g_autofree char *complaint = NULL;
	int status =
	    command_stream(&command, lines_take, lines, &complaint, error);

	lines_end(lines);
	if (status > 0)
		return command_failed(&command, complaint, error);
	return status == 0;
}

static gboolean
read_file(const char *path, struct lines *lines, GError **error)
{
	autofd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char buffer[65536];
	gssize count = fd < 0 ? -1 : 1;

	while (fd >= 0 && (count = read(fd, buffer, sizeof(buffer))) != 0) {
		if (count > 0)
			lines_add(lines, buffer, (gsize)count);
		else if (errno != EINTR)
			break;
	}
	if (count < 0)
		g_set_error(error, G_FILE_ERROR,
		    (gint)g_file_error_from_errno(errno), "%s: %s", path,
		    g_strerror(errno));
	lines_end(lines);
	return count == 0;
}

/* The program that unpacks it to stdout; NULL: it is not packed. */
static const char *
unpacker(const char *path)
{
	static const struct {
		const char *suffix;
		const char *program;
	} table[] = {
	    {".gz", "gzip"},
	    {".xz", "xz"},
	    {".bz2", "bzip2"},
	    {".zst", "zstd"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		if (g_str_has_suffix(path, table[i].suffix))
			return table[i].program;
	}
	return NULL;
}

gboolean
maillogs_read(const char *path,
    void (*take)(char *line, gsize length, gpointer data), gpointer data,
    GError **error)
{
	const char *program = unpacker(path);
	const char *const argv[] = {program, "-dc", "--", path, NULL};
	struct lines lines = {
	    .max = LINE_BYTES,
	    .take = take,
	    .data = data,
	};

	return program == NULL ? read_file(path, &lines, error)
			       : read_command(argv, &lines, error);
}

gboolean
maillogs_read_journal(void (*take)(char *line, gsize length, gpointer data),
    gpointer data, GError **error)
{
	/* Facility 2 is mail (RFC 5424). */
	static const char *const argv[] = {"journalctl", "--quiet",
	    "--no-pager", "--output=short-iso", "SYSLOG_FACILITY=2", NULL};
	struct lines lines = {
	    .max = LINE_BYTES,
	    .take = take,
	    .data = data,
	};

	return read_command(argv, &lines, error);
}
