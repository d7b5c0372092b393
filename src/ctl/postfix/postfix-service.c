/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "ctl/check/check-service.h"
#include "ctl/postfix/postfix-service.h"

#define PROGRAM SBINDIR "/smtproute"

const char *
postfix_name(const struct postfix *postfix)
{
	return postfix->lmtp ? SERVICE_LMTP : SERVICE_NAME;
}

const char *
postfix_transport(const struct postfix *postfix)
{
	return postfix->lmtp ? "lmtp:unix:private/" SERVICE_LMTP : SERVICE_NAME;
}

gboolean
postfix_is_ours(const struct postfix *postfix, const struct service *service)
{
	return postfix->lmtp ? service_speaks_lmtp(service)
			     : service_is_ours(service);
}

/* "program -c conf -q ..."; the path of settings may be NULL, the default. */
static char *
command_text(const struct postfix *postfix, const char *program,
    const char *conf)
{
	return g_strdup_printf("%s%s%s%s%s", program,
	    postfix->lmtp ? " -L" : "", conf != NULL ? " -c " : "",
	    conf != NULL ? conf : "",
	    postfix->lmtp ? ""
			  : " -q ${queue_id} -f ${sender} -n ${nexthop} "
			    "-- ${recipient}");
}

static const char *
settings_option(const struct postfix *postfix)
{
	return strcmp(postfix->conf, SETTINGS_PATH) == 0 ? NULL : postfix->conf;
}

char *
postfix_command(const struct postfix *postfix)
{
	return command_text(postfix, PROGRAM, settings_option(postfix));
}

static char *
new_service(const struct postfix *postfix)
{
	g_autofree char *command = postfix_command(postfix);

	return g_strdup_printf("%s unix - n n - %s %s%s user=%s%s argv=%s",
	    postfix_name(postfix), POSTFIX_PROCESSES,
	    postfix->lmtp ? "spawn" : "pipe", postfix->lmtp ? "" : " flags=hq",
	    SERVICE_USER, postfix->lmtp ? "" : " null_sender=", command);
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
	command = command_text(postfix, program, conf);
	bounded = strcmp(now->limit, "-") != 0 && strcmp(now->limit, "0") != 0;
	text = g_string_new(NULL);
	g_string_append_printf(text, "%s unix - n n %s %s %s", now->name,
	    now->wakeup, bounded ? now->limit : POSTFIX_PROCESSES, now->daemon);
	append_kept(text, now->options);
	g_string_append_printf(text, "%s user=%s%s",
	    postfix->lmtp ? "" : " flags=hq",
	    user != NULL ? user : SERVICE_USER,
	    postfix->lmtp ? "" : " null_sender=");
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
	if (postfix->lmtp)
		check_service_lmtp(&findings, now, level);
	else
		check_service(&findings, now, level);
	return findings.errors + findings.warnings > 0 ||
	    !service_reads(now, postfix->conf);
}
