/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "ctl/check/check-service.h"
#include "ctl/ctl.h"
#include "ctl/postfix/postfix.h"
#include "ctl/transport.h"

#define PROGRAM SBINDIR "/smtproute"
#define LIMIT   "50"

/* "program -c conf -q ..."; the path of settings may be NULL, the default. */
static char *
command_text(const char *program, const char *conf)
{
	return g_strdup_printf(
	    "%s%s%s -q ${queue_id} -f ${sender} -n ${nexthop} -- ${recipient}",
	    program, conf != NULL ? " -c " : "", conf != NULL ? conf : "");
}

static const char *
settings_option(const struct postfix *postfix)
{
	return strcmp(postfix->conf, SETTINGS_PATH) == 0 ? NULL : postfix->conf;
}

static char *
new_service(const struct postfix *postfix)
{
	g_autofree char *command =
	    command_text(PROGRAM, settings_option(postfix));

	return g_strdup_printf("%s unix - n n - %s pipe flags=hq user=%s "
			       "null_sender= argv=%s",
	    SERVICE_NAME, LIMIT, SERVICE_USER, command);
}

/* Attributes that are not set anew, "-o name=value" and the like. */
static void
append_kept(GString *text, const GPtrArray *words)
{
	static const char *const ours[] = {"flags=", "user=", "null_sender="};

	for (guint i = 0; i < words->len; i++) {
		const char *word = words->pdata[i];
		gboolean blank = strpbrk(word, " \t") != NULL;
		gboolean kept = TRUE;

		for (gsize j = 0; j < G_N_ELEMENTS(ours); j++)
			kept = kept && !g_str_has_prefix(word, ours[j]);
		if (kept)
			g_string_append_printf(text, blank ? " { %s }" : " %s",
			    word);
	}
}

char *
postfix_service(const struct postfix *postfix, const struct service *now)
{
	g_autofree char *command = NULL;
	const char *user;
	const char *program;
	const char *conf;
	gboolean bounded;
	GString *text;

	if (now == NULL)
		return new_service(postfix);
	user = service_attribute(now, "user");
	program = now->argv->pdata[0];
	if (!g_file_test(program, G_FILE_TEST_IS_EXECUTABLE))
		program = PROGRAM;
	conf = service_reads(now, postfix->conf) ? service_call(now).conf
						 : settings_option(postfix);
	command = command_text(program, conf);
	bounded = strcmp(now->limit, "-") != 0 && strcmp(now->limit, "0") != 0;
	text = g_string_new(NULL);
	g_string_append_printf(text, "%s unix - n n %s %s pipe", now->name,
	    now->wakeup, bounded ? now->limit : LIMIT);
	append_kept(text, now->options);
	g_string_append_printf(text, " flags=hq user=%s null_sender=",
	    user != NULL ? user : SERVICE_USER);
	append_kept(text, now->attributes);
	g_string_append_printf(text, " argv=%s", command);
	return g_string_free(text, FALSE);
}

/* The same form of what is there. */
static char *
service_text(const struct service *service)
{
	const GPtrArray *lists[] = {service->options, service->attributes,
	    service->argv};
	GString *text = g_string_new(NULL);

	g_string_append_printf(text, "%s unix %s %s %s %s %s %s", service->name,
	    service->private, service->unprivileged, service->chroot,
	    service->wakeup, service->limit, service->daemon);
	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
		for (guint j = 0; j < lists[i]->len; j++)
			g_string_append_printf(text, " %s%s",
			    lists[i] == service->argv && j == 0 ? "argv=" : "",
			    (const char *)lists[i]->pdata[j]);
	}
	return g_string_free(text, FALSE);
}

gboolean
postfix_service_differs(const struct postfix *postfix,
    const struct service *now, const char *level)
{
	struct findings findings = {.silent = TRUE};
	g_autofree char *should = NULL;
	g_autofree char *is = NULL;

	if (now == NULL)
		return TRUE;
	should = postfix_service(postfix, now);
	is = service_text(now);
	if (strcmp(should, is) == 0)
		return FALSE;
	/* Whatever check has nothing against may stay. */
	check_service(&findings, now, level);
	return findings.errors + findings.warnings > 0 ||
	    !service_reads(now, postfix->conf);
}

static void
print(const struct postfix *postfix)
{
	g_autofree char *command =
	    command_text(PROGRAM, settings_option(postfix));
	g_autofree char *map = transport_pipemap(postfix->routes, SERVICE_NAME);

	say("# master.cf\n"
	    "%s unix  -  n  n  -  %s  pipe\n"
	    "  flags=hq user=%s null_sender=\n"
	    "  argv=%s\n\n",
	    SERVICE_NAME, LIMIT, SERVICE_USER, command);
	say("# main.cf\n"
	    "%s = 1\n"
	    "transport_maps = %s\n",
	    POSTFIX_LIMIT, map);
}

/* Can the paths stand in Postfix's files? */
static gboolean
check_paths(const struct postfix *postfix)
{
	const char *const paths[] = {postfix->conf, postfix->routes};

	if (g_str_has_prefix(postfix->routes, "lmdb:")) {
		complain("%s: this version reads text maps only; expected a "
			 "path without lmdb:",
		    postfix->routes);
		return FALSE;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		if (transport_path_is_plain(paths[i]))
			continue;
		complain("%s: Postfix's files cannot have this path; expected "
			 "one without blanks, commas, braces, quotes and the "
			 "like",
		    paths[i]);
		return FALSE;
	}
	return TRUE;
}

static gboolean
take_options(int argc, char **argv, gboolean *ret_apply)
{
	static const struct option options[] = {{"apply", no_argument, NULL,
						    'a'},
	    {NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'a')
			return FALSE;
		*ret_apply = TRUE;
	}
	return optind == argc;
}

enum ctl_status
ctl_postfix(const struct ctl *ctl, int argc, char **argv)
{
	g_autoptr(Settings) settings = NULL;
	g_autofree char *conf = NULL;
	struct postfix postfix;
	gboolean apply = FALSE;

	if (!take_options(argc, argv, &apply))
		return CTL_USAGE;
	settings = ctl_settings(ctl);
	if (settings == NULL)
		return CTL_TROUBLE;
	conf = g_canonicalize_filename(ctl->conf, NULL);
	postfix = (struct postfix){conf, settings->routes};
	if (!check_paths(&postfix))
		return CTL_TROUBLE;
	if (apply)
		return postfix_apply(&postfix) ? CTL_OK : CTL_TROUBLE;
	print(&postfix);
	return CTL_OK;
}
