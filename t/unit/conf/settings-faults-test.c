/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All faults of a file of settings, and files that are none.
 */
#include <config.h>

#include <string.h>
#include <sys/stat.h>

#include <glib/gstdio.h>

#include "conf/keyfile.h"
#include "conf/settings.h"
#include "unit/conffile.h"
#include "unit/table.h"

/* All faults of a file: the lines, and a part of each message. */
static const struct all {
	const char *says;
	const char *text;
	const char *faults; /* "line: text", a line each */
} all[] = {
    {"none", "[smtproute]\ntls = may\n", ""},
    {"each once, by line",
	"[smtproute]\ntls = may\nnonsense\nlog = y\nrotues = /r\ntls = may\n",
	"3: expected [group]\n4: of log; \n"
	"5: unknown key \"rotues\"\n6: key \"tls\" again\n"},
    {"in all groups",
	"[host a b]\ntls = x\n[smtproute]\ntls = y\n[other]\nx =\n"
	"[host c]\nbind = d\n",
	"1: bad host in [host a b]\n2: of tls; \n4: of tls; \n"
	"5: unknown group [other]\n8: of bind; \n"},
    {"a host's second group",
	"[host a]\ntls = x\n[host A]\ntls = y\nauth = a b\n",
	"2: of tls; \n3: second group\n4: of tls; \n5: of auth; \n"},
    {"the keys of a group that is none are not another's",
	"[smtproute]\ntls = x\n[host [[::1]:25]\ntls = may\nauth = ex\n"
	"[host a]\nauth =\n",
	"2: of tls; \n3: expected [group]\n7: of auth; \n"},
    {"with brackets in a group",
	"[host [::1]:25]\ntls = x\n[host [::1:25]\ntls = y\n"
	"[host [::2]]\nauth =\n",
	"2: of tls; \n3: expected [group]\n6: of auth; \n"},
    {"bytes that are no text", "[smtproute]\n# caf\xe9\ntls = x\nlog = \xff\n",
	"2: text in UTF-8\n3: of tls; \n4: text in UTF-8\n"},
    {"no group at all", "tls = x\nlog\n",
	"1: expected [group]\n2: expected [group]\n"},
    {"a last line without end", "[smtproute]\nx\ny",
	"2: expected [group]\n3: expected [group]\n"},
    {"a retry time at fault is not compared",
	"[smtproute]\nretry-min = 10m\nretry-max = long\n",
	"3: of retry-max; \n"},
    {"retry times that are compared, after another fault",
	"[smtproute]\nretry-min = 10m\ntls = x\n",
	"2: retry-min is longer\n3: of tls; \n"},
};

static void
test_all(gconstpointer data)
{
	const struct all *row = data;
	g_auto(GStrv) expected = g_strsplit(row->faults, "\n", -1);
	guint count = MAX(g_strv_length(expected), 1) - 1;
	g_autoptr(Keyfile) keyfile = NULL;
	const GPtrArray *faults;
	g_autoptr(Settings) settings = NULL;

	conffile_write(row->text, strlen(row->text));
	settings = settings_load_all(conffile_path, &keyfile);
	faults = keyfile_faults(keyfile);
	g_assert_nonnull(settings);
	g_assert_cmpuint(faults->len, ==, count);
	for (guint i = 0; i < MIN(faults->len, count); i++) {
		const struct settings_fault *fault = faults->pdata[i];
		g_autofree char *line = g_strdup_printf("%u", fault->line);
		g_autofree char *pattern = g_strdup_printf("%s:%s: *%s*",
		    conffile_path, line, strstr(expected[i], ": ") + 2);

		g_assert_true(g_str_has_prefix(expected[i], line));
		if (!g_pattern_match_simple(pattern, fault->error->message))
			g_assert_cmpstr(fault->error->message, ==, pattern);
		conffile_check_message(fault->error->message);
	}
}

static const struct settings_fault *
fault_of(const GPtrArray *faults, guint index)
{
	return faults->pdata[index];
}

/* What is at fault says its key, and the rest is read. */
static void
test_all_read(void)
{
	static const char text[] =
	    "[smtproute]\nroutes = r\nx\nsyslog-name = s\n";
	g_autoptr(Keyfile) keyfile = NULL;
	const GPtrArray *faults;
	g_autoptr(Settings) settings = NULL;

	conffile_write(text, strlen(text));
	settings = settings_load_all(conffile_path, &keyfile);
	faults = keyfile_faults(keyfile);
	g_assert_nonnull(settings);
	g_assert_cmpuint(faults->len, ==, 2);
	if (settings == NULL || faults->len != 2)
		return;
	g_assert_cmpstr(settings->syslog_name, ==, "s");
	g_assert_cmpstr(fault_of(faults, 0)->key, ==, "routes");
	g_assert_null(fault_of(faults, 1)->key);
}

static void
test_all_missing(void)
{
	g_autoptr(Keyfile) keyfile = NULL;
	const GPtrArray *faults;

	g_unlink(conffile_path);
	g_assert_null(settings_load_all(conffile_path, &keyfile));
	faults = keyfile_faults(keyfile);
	g_assert_cmpuint(faults->len, ==, 1);
	g_assert_cmpuint(fault_of(faults, 0)->line, ==, 0);
}

static void
test_all_many(void)
{
	g_autoptr(GString) text = g_string_new("[smtproute]\n");
	g_autoptr(Keyfile) keyfile = NULL;
	const GPtrArray *faults;
	g_autoptr(Settings) settings = NULL;

	for (guint i = 0; i < 10000; i++)
		g_string_append(text, "x\n");
	conffile_write(text->str, text->len);
	settings = settings_load_all(conffile_path, &keyfile);
	faults = keyfile_faults(keyfile);
	g_assert_nonnull(settings);
	g_assert_cmpuint(faults->len, ==, SETTINGS_FAULTS_MAX);
}

static void
refuse_file(const char *file, const char *reason)
{
	g_autofree char *message = g_strconcat(file, ": ", reason, NULL);
	g_autoptr(GError) error = NULL;

	g_assert_null(settings_load(file, &error));
	g_assert_error(error, SETTINGS_ERROR, SETTINGS_ERROR_FILE);
	g_assert_cmpstr(error != NULL ? error->message : NULL, ==, message);
}

static void
test_file(void)
{
	g_unlink(conffile_path);
	refuse_file(conffile_path, "No such file or directory");
	refuse_file(conffile_folder, "Is a directory");
	if (mkfifo(conffile_path, 0600) == 0) {
		refuse_file(conffile_path, "not a regular file");
		g_unlink(conffile_path);
	}
}

static void
test_size(void)
{
	g_autofree char *text = g_strnfill(SETTINGS_SIZE_MAX + 1, '#');
	g_autoptr(Settings) largest = NULL;

	conffile_write(text, SETTINGS_SIZE_MAX + 1);
	refuse_file(conffile_path, "larger than 1 MiB");
	conffile_write(text, SETTINGS_SIZE_MAX);
	largest = settings_load(conffile_path, NULL);
	g_assert_nonnull(largest);
}

int
main(int argc, char **argv)
{
	int result;

	g_test_init(&argc, &argv, NULL);
	conffile_begin();
	TABLE_ADD("all faults", all, test_all);
	g_test_add_func("/all faults/what is read", test_all_read);
	g_test_add_func("/all faults/no file", test_all_missing);
	g_test_add_func("/all faults/very many", test_all_many);
	g_test_add_func("/what is no file", test_file);
	g_test_add_func("/the largest file", test_size);
	result = g_test_run();
	conffile_end();
	return result;
}
