/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys of the settings as the manual and the sample have them.
 */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "conf/setting.h"
#include "conf/settings.h"
#include "unit/fixture.h"

/* A file of the source tree; automake's test driver sets srcdir. */
static char *
read_source(const char *name)
{
	const char *srcdir = g_getenv("srcdir");
	g_autofree char *file =
	    g_build_filename(srcdir != NULL ? srcdir : ".", name, NULL);
	g_autoptr(GError) error = NULL;
	char *text = NULL;

	g_file_get_contents(file, &text, NULL, &error);
	g_assert_no_error(error);
	return text != NULL ? text : g_strdup("");
}

static void
test_manual(void)
{
	static const enum setting_place places[] = {IN_SMTPROUTE, IN_HOST,
	    IN_AUTH, IN_ROUTE};
	g_autofree char *manual = read_source("man/smtproute.conf.5");

	for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autofree char *list = setting_list(places[i]);
		g_auto(GStrv) names = g_strsplit(list, ", ", -1);

		for (gsize j = 0; names[j] != NULL; j++) {
			g_autofree char *item =
			    g_strdup_printf("\n.It Cm %s", names[j]);

			if (strstr(manual, item) == NULL)
				g_assert_cmpstr(names[j], ==, "in the manual");
		}
	}
}

/* The sample is installed with other paths than those it is kept with. */
static void
test_sample(void)
{
	g_autofree char *sample = read_source("contrib/smtproute.conf");
	g_autofree char *list = setting_list(IN_SMTPROUTE);
	g_auto(GStrv) names = g_strsplit(list, ", ", -1);
	g_autoptr(Settings) settings = fixture_settings(sample);

	g_assert_nonnull(settings);
	for (gsize i = 0; names[i] != NULL; i++) {
		const char *value = setting_find(IN_SMTPROUTE, names[i])->value;
		g_autofree char *line = NULL;

		if (value == NULL || value[0] == '\0')
			line = g_strdup_printf("\n#%s =\n", names[i]);
		else if (value[0] == '/')
			line = g_strdup_printf("\n#%s = /", names[i]);
		else
			line = g_strdup_printf("\n#%s = %s\n", names[i], value);
		if (strstr(sample, line) == NULL)
			g_assert_cmpstr(line, ==, "in the sample");
	}
}

/* What the sample shows must be accepted by whoever uncomments it. */
static void
test_sample_uncommented(void)
{
	g_autofree char *sample = read_source("contrib/smtproute.conf");
	g_autoptr(GRegex) regex =
	    g_regex_new("^#(?=[[a-z])", G_REGEX_MULTILINE, 0, NULL);
	g_autofree char *bare =
	    g_regex_replace_literal(regex, sample, -1, 0, "", 0, NULL);
	g_autoptr(Settings) settings = fixture_settings(bare);

	g_assert_nonnull(settings);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/every key is in the manual", test_manual);
	g_test_add_func("/every key is in the sample", test_sample);
	g_test_add_func("/the sample without its comment signs",
	    test_sample_uncommented);
	return g_test_run();
}
