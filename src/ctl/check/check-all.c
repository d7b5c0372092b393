/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check: the parts one after another, and their sum.
 */

#include <config.h>

#include <getopt.h>

#include "ctl/check/check-domain.h"
#include "ctl/check/check-files.h"
#include "ctl/check/check-map.h"
#include "ctl/check/check-postfix.h"
#include "ctl/check/check-routes.h"
#include "ctl/check/check-secrets.h"
#include "ctl/check/check-security.h"
#include "ctl/check/check-settings.h"
#include "ctl/check/check-wake.h"
#include "ctl/ctl.h"
#include "ctl/document.h"
#include "ctl/postconf.h"

static void
read_settings(struct check *check)
{
	check->settings = settings_load_all(check->conf, &check->keyfile);
	check->faults = keyfile_faults(check->keyfile);
	for (guint i = 0; i < check->faults->len; i++) {
		const struct settings_fault *fault = check->faults->pdata[i];

		finding_error(&check->findings, fault->error);
	}
	if (check->faults->len == SETTINGS_FAULTS_MAX)
		finding(&check->findings, SEVERITY_NOTE, check->conf,
		    "there may be more faults behind these");
}

static const char *
plural(guint count)
{
	return count == 1 ? "" : "s";
}

/* The last line. */
static void
say_sum(const struct check *check)
{
	guint errors = check->findings.errors;
	guint warnings = check->findings.warnings;

	if (errors == 0 && warnings == 0)
		say("no faults found: %u route%s, %u host%s", check->routes,
		    plural(check->routes), check->hosts, plural(check->hosts));
	if (errors > 0)
		say("%u error%s", errors, plural(errors));
	if (errors > 0 && warnings > 0)
		say(", ");
	if (warnings > 0)
		say("%u warning%s", warnings, plural(warnings));
	say("\n");
}

static void
say_document(const struct check *check)
{
	json_t *to = json_object();

	document_set_count(to, "errors", check->findings.errors);
	document_set_count(to, "warnings", check->findings.warnings);
	document_set_count(to, "routes", check->routes);
	document_set_count(to, "hosts", check->hosts);
	document_set_value(to, "findings", json_incref(check->findings.list));
	document_say(to);
}

static enum ctl_status
sum_up(const struct check *check)
{
	if (check->findings.list != NULL)
		say_document(check);
	else
		say_sum(check);
	if (check->findings.errors > 0)
		return CTL_TROUBLE;
	return check->findings.warnings > 0 ? CTL_NO : CTL_OK;
}

/* @error: why the services cannot be read; NULL: they can. */
static void
check_services(struct check *check, const GError *error)
{
	if (error == NULL)
		return;
	if (g_error_matches(error, COMMAND_ERROR, COMMAND_ERROR_MISSING))
		finding(&check->findings, SEVERITY_WARNING, "postconf",
		    "not found in PATH; expected Postfix, whose "
		    "configuration is not checked");
	else
		finding_error(&check->findings, error);
}

/*
 * @routes: in place of those that are in use, and then nothing is said of
 * what would use them.  NULL: those.
 */
static void
check_all(struct check *check, const char *routes, char *const *domains)
{
	g_autoptr(GError) error = NULL;

	read_settings(check);
	if (routes == NULL)
		check->services = postconf_services(NULL, &error);
	else if (check->settings != NULL)
		check->settings->routes = routes;
	check_routes(check);
	for (; *domains != NULL; domains++)
		check_domain(check, *domains);
	if (routes != NULL)
		return;
	check_dns_security(check);
	check_services(check, error);
	check_files(check);
	check_postfix(check);
	check_wake(check);
	/* They restrict this process (secret_protect()). */
	check_settings(check);
	check_secrets(check);
}

void
check_map(const char *conf, const char *routes, struct findings *findings)
{
	char *const none[] = {NULL};
	struct check check;

	check_begin(&check, conf);
	check_all(&check, routes, none);
	*findings = check.findings;
	check_end(&check);
}

/* As on the command line. */
struct wish {
	const char *routes; /* NULL: those of the settings */
	gboolean json;
	gboolean without_dns;
};

/* FALSE: not as the usage says. */
static gboolean
parse_options(int argc, char **argv, struct wish *wish)
{
	static const struct option options[] = {
	    {"json", no_argument, NULL, 'j'},
	    {"no-dns", no_argument, NULL, 'd'},
	    {"routes", required_argument, NULL, 'r'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r')
			wish->routes = optarg;
		else if (option == 'd')
			wish->without_dns = TRUE;
		else if (option == 'j')
			wish->json = TRUE;
		else
			return FALSE;
	}
	return TRUE;
}

enum ctl_status
ctl_check(const struct ctl *ctl, int argc, char **argv)
{
	struct wish wish = {0};
	struct check check;
	enum ctl_status status;

	if (!parse_options(argc, argv, &wish))
		return CTL_USAGE;
	check_begin(&check, ctl->conf);
	check.without_dns = wish.without_dns;
	if (wish.json)
		check.findings.list = json_array();
	check_all(&check, wish.routes, argv + optind);
	status = sum_up(&check);
	json_decref(check.findings.list);
	check_end(&check);
	return status;
}
