/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>
#include <unistd.h>

#include "ctl/check/check.h"
#include "ctl/ctl.h"
#include "ctl/postconf.h"

static void
check_settings(struct check *check)
{
	check->settings = settings_load_all(check->conf, &check->faults);
	for (guint i = 0; i < check->faults->len; i++) {
		const struct settings_fault *fault = check->faults->pdata[i];

		finding_error(&check->findings, fault->error);
	}
	if (check->faults->len == SETTINGS_FAULTS_MAX)
		finding(&check->findings, SEVERITY_NOTE, check->conf,
		    "there may be more faults behind these");
}

gboolean
check_knows(const struct check *check, const char *key)
{
	for (guint i = 0; i < check->faults->len; i++) {
		const struct settings_fault *fault = check->faults->pdata[i];

		if (g_strcmp0(fault->key, key) == 0)
			return FALSE;
	}
	return check->settings != NULL;
}

static const char *
plural(guint count)
{
	return count == 1 ? "" : "s";
}

/* The last line, and what the exit status says. */
static enum ctl_status
sum_up(const struct check *check)
{
	guint errors = check->findings.errors;
	guint warnings = check->findings.warnings;

	if (errors == 0 && warnings == 0) {
		say("no faults found: %u route%s, %u host%s\n", check->routes,
		    plural(check->routes), check->hosts, plural(check->hosts));
		return CTL_OK;
	}
	if (errors > 0)
		say("%u error%s", errors, plural(errors));
	if (errors > 0 && warnings > 0)
		say(", ");
	if (warnings > 0)
		say("%u warning%s", warnings, plural(warnings));
	say("\n");
	return errors > 0 ? CTL_TROUBLE : CTL_NO;
}

static void
read_services(struct check *check)
{
	g_autoptr(GError) error = NULL;

	check->services = postconf_services(NULL, &error);
	if (check->services != NULL)
		return;
	if (g_error_matches(error, COMMAND_ERROR, COMMAND_ERROR_MISSING))
		finding(&check->findings, SEVERITY_WARNING, "postconf",
		    "not found in PATH; expected Postfix, whose "
		    "configuration is not checked");
	else
		finding_error(&check->findings, error);
}

static void
check_all(struct check *check)
{
	check_settings(check);
	check_routes(check);
	check_dns_security(check);
	read_services(check);
	check_files(check);
	check_postfix(check);
	/* It restricts this process (secret_protect()). */
	check_secrets(check);
}

static void
clear(struct check *check)
{
	g_hash_table_destroy(check->said);
	g_hash_table_destroy(check->profiles);
	g_free(check->dane);
	g_ptr_array_unref(check->faults);
	g_clear_pointer(&check->agent, agent_free);
	g_clear_pointer(&check->services, g_ptr_array_unref);
	g_clear_pointer(&check->settings, settings_free);
}

enum ctl_status
ctl_check(const struct ctl *ctl, int argc, char **argv)
{
	struct check check = {.conf = ctl->conf};
	enum ctl_status status;

	if (getopt(argc, argv, "") != -1 || optind < argc)
		return CTL_USAGE;
	check.said =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	check.profiles =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	check_all(&check);
	status = sum_up(&check);
	clear(&check);
	return status;
}
