/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Settings: a file is read without a fault or has a first one, in a line that
 * a log can show; reading on finds that one too.  What was read is bounded.
 */
#include <config.h>

#include <sys/mman.h>
#include <unistd.h>

#include "conf/keyfile.h"
#include "conf/settings.h"
#include "fuzz/fuzz.h"

static void
check_spans(const struct settings *settings)
{
	const struct timeouts *timeouts = &settings->defaults.timeouts;

	g_assert_cmpint(settings->time_limit, >, 0);
	g_assert_cmpint(settings->retry_min, >, 0);
	g_assert_cmpint(settings->retry_max, >, 0);
	g_assert_cmpint(settings->choosing.patience, >=, 0);
	g_assert_cmpint(timeouts->connect, >, 0);
	g_assert_cmpint(timeouts->greeting, >, 0);
	g_assert_cmpint(timeouts->command, >, 0);
	g_assert_cmpint(timeouts->data, >, 0);
	g_assert_cmpint(timeouts->final, >, 0);
}

/* They are written as they were read. */
static void
check_rates(const struct rates *rates)
{
	g_autofree char *text = rates_text(rates, ", ");
	g_autofree char *again = NULL;
	struct rates read = {0};
	gsize at;

	g_assert_true(rates->set);
	g_assert_true(rates_parse(text, ',', &read, &at));
	again = rates_text(&read, ", ");
	g_assert_cmpstr(again, ==, text);
}

static void
check_settings(const struct settings *settings)
{
	struct host_settings host;

	g_assert_nonnull(settings->routes);
	g_assert_nonnull(settings->state_directory);
	check_spans(settings);
	host = settings_host(settings, "mx1.example.com", 25);
	g_assert_cmpint(host.timeouts.connect, >, 0);
	g_assert_cmpint(host.timeouts.final, >, 0);
	g_assert_cmpint(host.tls, !=, TLS_UNSET);
	check_rates(&host.rate);
	check_rates(&host.rate_recipients);
}

static void
check_fault(const struct settings_fault *fault)
{
	fuzz_assert_error(fault->error);
	g_assert_cmpuint(strlen(fault->error->message), <,
	    SETTINGS_ERROR_BYTES);
}

static void
check_faults(const char *path, const GError *first)
{
	struct keyfile *read = NULL;
	g_autoptr(Settings) settings = settings_load_all(path, &read);
	g_autoptr(Keyfile) keyfile = read;
	const GPtrArray *faults = keyfile_faults(keyfile);

	g_assert_cmpint(faults->len > 0, ==, first != NULL);
	g_assert_cmpuint(faults->len, <=, SETTINGS_FAULTS_MAX);
	for (guint i = 0; i < faults->len; i++)
		check_fault(faults->pdata[i]);
	if (settings != NULL)
		check_settings(settings);
}

static void
check(const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Settings) settings = settings_load(path, &error);

	if (settings == NULL) {
		fuzz_assert_error(error);
		g_assert_cmpuint(strlen(error->message), <,
		    SETTINGS_ERROR_BYTES);
	} else {
		g_assert_no_error(error);
		check_settings(settings);
	}
	check_faults(path, error);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	int fd = memfd_create("settings", MFD_CLOEXEC);
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(write(fd, data, size), ==, (gssize)size);
	check(path);
	close(fd);
	return 0;
}
