/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One service in master.cf that runs smtproute, held against pipe(8), or in
 * LMTP against spawn(8).
 */
#include <config.h>

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/check/check-service.h"

#define NAME_CHARACTERS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_"

/* A service under examination. */
struct subject {
	struct findings *findings;
	const struct service *service;
	const char *level; /* Postfix's compatibility_level */
	char *where;
};

static void
say_error(const struct subject *subject, const char *text)
{
	finding(subject->findings, SEVERITY_ERROR, subject->where, "%s", text);
}

static void
say_warning(const struct subject *subject, const char *text)
{
	finding(subject->findings, SEVERITY_WARNING, subject->where, "%s",
	    text);
}

/* Where Postfix looks for what pipe(8) runs. */
static void
check_place(const struct subject *subject)
{
	const struct service *service = subject->service;

	if (strcmp(service->type, "unix") != 0)
		say_error(subject,
		    "type is not unix; expected unix, since qmgr(8) looks "
		    "nowhere else");
	if (strcmp(service->private, "n") == 0)
		say_error(subject,
		    "private is n; expected -, since qmgr(8) looks nowhere "
		    "else");
	if (strcmp(service->limit, "0") == 0 ||
	    strcmp(service->limit, "-") == 0)
		finding(subject->findings, SEVERITY_WARNING, subject->where,
		    "process limit is %s; expected a number as 50, which "
		    "bounds what one dead route can hold",
		    service->limit);
}

static void
check_rights(const struct subject *subject)
{
	const struct service *service = subject->service;

	if (strcmp(service->unprivileged, "n") != 0)
		finding(subject->findings, SEVERITY_ERROR, subject->where,
		    "unpriv is not n; expected n, since %s(8) has to "
		    "become the user",
		    service->daemon);
	if (strcmp(service->chroot, "y") == 0)
		say_error(subject,
		    "chroot is y; expected n, since the program and its "
		    "files are outside");
	/* What an empty column means depends on Postfix's age. */
	if (strcmp(service->chroot, "-") == 0 &&
	    strcmp(subject->level, "0") == 0)
		say_error(subject,
		    "chroot is -, which is y with compatibility_level 0; "
		    "expected n, since the program and its files are "
		    "outside");
}

static void
check_flags(const struct subject *subject)
{
	static const struct {
		char flag;
		enum severity severity;
		const char *what;
	} unwanted[] = {
	    {'B', SEVERITY_ERROR, "appends a blank line to the content"},
	    {'F', SEVERITY_ERROR, "prepends a line to the content"},
	    {'.', SEVERITY_ERROR, "doubles dots in the content"},
	    {'>', SEVERITY_ERROR, "changes lines of the content"},
	    {'D', SEVERITY_WARNING, "prepends Delivered-To to the content"},
	    {'O', SEVERITY_WARNING, "prepends X-Original-To to the content"},
	    {'R', SEVERITY_WARNING, "prepends Return-Path to the content"},
	    {'X', SEVERITY_WARNING,
		"reports mail as delivered that is relayed"},
	    {'u', SEVERITY_WARNING, "changes the recipient's local part"},
	};
	const char *flags = service_attribute(subject->service, "flags");

	if (flags == NULL)
		flags = "";
	if (strchr(flags, 'h') == NULL)
		say_warning(subject, "flags has no h; expected flags=hq");
	if (strchr(flags, 'q') == NULL)
		say_warning(subject,
		    "flags has no q, so that local parts are not quoted; "
		    "expected flags=hq");
	for (gsize i = 0; i < G_N_ELEMENTS(unwanted); i++) {
		if (strchr(flags, unwanted[i].flag) != NULL)
			finding(subject->findings, unwanted[i].severity,
			    subject->where, "flag %c %s; expected flags=hq",
			    unwanted[i].flag, unwanted[i].what);
	}
	if (flags[strspn(flags, "BDFORXhqu.>")] != '\0')
		finding(subject->findings, SEVERITY_ERROR, subject->where,
		    "flags=%s has one that pipe(8) does not know; expected "
		    "flags=hq",
		    flags);
}

static void
check_null_sender(const struct subject *subject)
{
	const char *value = service_attribute(subject->service, "null_sender");

	if (value == NULL || strcmp(value, "MAILER-DAEMON") == 0)
		say_warning(subject,
		    "bounces come from MAILER-DAEMON; expected null_sender= "
		    "with nothing behind it");
	else if (value[0] != '\0')
		finding(subject->findings, SEVERITY_ERROR, subject->where,
		    "null_sender=%s gives bounces a sender; expected "
		    "null_sender= with nothing behind it",
		    value);
}

static void
check_user(const struct subject *subject)
{
	const char *user = service_attribute(subject->service, "user");
	g_auto(GStrv) parts = NULL;
	const struct passwd *entry;

	if (user == NULL) {
		finding(subject->findings, SEVERITY_ERROR, subject->where,
		    "no user=; expected user=" SERVICE_USER
		    ", without which %s(8) refuses",
		    subject->service->daemon);
		return;
	}
	parts = g_strsplit(user, ":", 2);
	entry = parts[0] != NULL ? getpwnam(parts[0]) : NULL;
	if (entry == NULL)
		finding(subject->findings, SEVERITY_ERROR, subject->where,
		    "user %s does not exist; expected one: useradd --system "
		    "--home-dir / --shell /usr/sbin/nologin %s",
		    user, parts[0] != NULL ? parts[0] : SERVICE_USER);
	else if (entry->pw_uid == 0)
		finding(subject->findings, SEVERITY_ERROR, subject->where,
		    "user is root; expected user=" SERVICE_USER
		    ", since %s(8) refuses root",
		    subject->service->daemon);
	if (parts[0] != NULL && parts[1] != NULL && getgrnam(parts[1]) == NULL)
		finding(subject->findings, SEVERITY_ERROR, subject->where,
		    "group %s does not exist; expected one, or user=%s",
		    parts[1], parts[0]);
}

static void
check_program(const struct subject *subject)
{
	const char *path = subject->service->argv->pdata[0];
	struct stat st;

	if (path[0] != '/' || stat(path, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
		finding(subject->findings, SEVERITY_ERROR, subject->where,
		    "%s is not there or not a program; expected the whole "
		    "path of smtproute",
		    path);
}

static gboolean
is_known(const char *name)
{
	static const char *const macros[] = {"client_address", "client_helo",
	    "client_hostname", "client_port", "client_protocol", "domain",
	    "extension", "mailbox", "nexthop", "original_recipient", "queue_id",
	    "recipient", "sasl_method", "sasl_sender", "sasl_username",
	    "sender", "size", "user", NULL};

	return g_strv_contains(macros, name);
}

/* One word of argv: pipe(8) defers all mail for a macro it does not know. */
static void
check_macros(const struct subject *subject, const char *word)
{
	const char *at = word;

	while ((at = strchr(at, '$')) != NULL) {
		g_autofree char *name = NULL;

		at++;
		if (*at == '$') {
			at++;
			continue;
		}
		if (*at == '{' || *at == '(')
			at++;
		name = g_strndup(at, strspn(at, NAME_CHARACTERS));
		if (strcmp(name, "envid") == 0)
			say_warning(subject,
			    "Postfix before 3.9 does not know ${envid} and "
			    "defers all mail; expected no such argument");
		else if (!is_known(name))
			finding(subject->findings, SEVERITY_ERROR,
			    subject->where,
			    "pipe(8) does not know ${%s} and defers all "
			    "mail; expected ${queue_id}, ${sender}, "
			    "${nexthop} and ${recipient}",
			    name);
	}
}

static gboolean
is_macro(const char *word, const char *name)
{
	return word != NULL && service_word_is_macro(word, name);
}

static void
check_arguments(const struct subject *subject)
{
	const GPtrArray *argv = subject->service->argv;
	struct service_call call = service_call(subject->service);

	if (call.other)
		say_error(subject,
		    "argv has an option that is not for pipe(8); expected "
		    "-c, -q, -f and -n");
	if (!is_macro(call.queue_id, "queue_id"))
		say_warning(subject,
		    "argv has no queue id for the log; expected "
		    "-q ${queue_id}");
	if (!is_macro(call.sender, "sender") || call.attached)
		say_error(subject,
		    "argv has no sender, or not as a word of its own; "
		    "expected -f ${sender}");
	if (!is_macro(call.nexthop, "nexthop"))
		say_warning(subject,
		    "argv has no nexthop, so that a transport table cannot "
		    "name routes; expected -n ${nexthop}");
	if (call.first + 1 != argv->len ||
	    !is_macro(argv->pdata[call.first], "recipient"))
		say_error(subject,
		    "argv does not end in the recipient; expected "
		    "-- ${recipient}");
	else if (!call.separator)
		say_warning(subject,
		    "a recipient that begins with - is taken for an option; "
		    "expected -- ${recipient}");
}

void
check_service(struct findings *findings, const struct service *service,
    const char *level)
{
	g_autofree char *where = service_place(service);
	const struct subject subject = {findings, service, level, where};

	check_place(&subject);
	check_rights(&subject);
	check_flags(&subject);
	check_null_sender(&subject);
	check_user(&subject);
	check_program(&subject);
	for (guint i = 1; i < service->argv->len; i++)
		check_macros(&subject, service->argv->pdata[i]);
	check_arguments(&subject);
}

void
check_service_lmtp(struct findings *findings, const struct service *service,
    const char *level)
{
	g_autofree char *where = service_place(service);
	const struct subject subject = {findings, service, level, where};
	gboolean says = FALSE;

	check_rights(&subject);
	check_user(&subject);
	check_program(&subject);
	for (guint i = 1; i < service->argv->len; i++)
		says = says || strcmp(service->argv->pdata[i], "-L") == 0;
	if (!says)
		say_error(&subject,
		    "has no -L; expected it, without which smtproute does not "
		    "speak LMTP");
}
