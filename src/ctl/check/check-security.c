/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS and AUTH as the hosts of routes have them: what contradicts itself, and
 * what promises more than it keeps.
 */
#include <config.h>

#include "agent/plan.h"
#include "conf/authname.h"
#include "conf/keyfile.h"
#include "ctl/check/check-entry.h"
#include "ctl/check/check-security.h"

/* A host under examination, and where it stands. */
struct subject {
	struct check *check;
	const char *path;
	const struct maptext_entry *entry;
	guint index;
	const struct destination *destination;
	struct host_settings settings; /* the route's options applied */
};

static char *
subject_place(const struct subject *subject)
{
	return check_entry_place(subject->path, subject->entry, subject->index);
}

/*
 * @what: whatever has the same text, and stands for the same, is said once.
 */
static void
say_once(const struct subject *subject, enum severity severity,
    const char *what)
{
	const struct destination *destination = subject->destination;
	g_autofree char *where = NULL;

	if (!g_hash_table_add(subject->check->said,
		g_strdup_printf("%s %u %s", destination->name,
		    destination->port, what)))
		return;
	where = subject_place(subject);
	finding(&subject->check->findings, severity, where, "%s", what);
}

/* That of [host] is there: settings.c sees to it. */
static void
check_profile(const struct subject *subject)
{
	struct check *check = subject->check;
	const char *name = subject->destination->auth;
	g_autofree char *where = NULL;

	if (name == NULL ||
	    !g_hash_table_add(check->profiles, authname_canonical(name)))
		return;
	if (settings_auth(check->settings, name) != NULL)
		return;
	where = subject_place(subject);
	finding(&check->findings, SEVERITY_ERROR, where,
	    "auth=%s, but the settings have no [auth %s]; expected this "
	    "group, without which the host is passed over",
	    name, name);
}

static void
check_clear_text(const struct subject *subject)
{
	const struct host_settings *settings = &subject->settings;
	g_autofree char *what = NULL;

	if (settings->auth == NULL || settings->tls != TLS_NONE ||
	    settings->auth_in_clear == ANSWER_YES)
		return;
	what = g_strdup_printf("auth=%s is never used in clear text (tls=none, "
			       "auth-in-clear = no); expected tls=secure, or "
			       "another level with TLS",
	    settings->auth);
	say_once(subject, SEVERITY_ERROR, what);
}

/* A password is for one host, not for whoever is in its place. */
static void
check_unverified(const struct subject *subject)
{
	const struct host_settings *settings = &subject->settings;
	g_autofree char *what = NULL;

	if (settings->auth == NULL ||
	    settings_auth(subject->check->settings, settings->auth) == NULL ||
	    (settings->tls != TLS_MAY && settings->tls != TLS_ENCRYPT))
		return;
	what =
	    g_strdup_printf("auth=%s, but tls=%s does not verify who gets "
			    "the credentials; expected tls=secure or wrapper",
		settings->auth, tls_level_name(settings->tls));
	say_once(subject, SEVERITY_WARNING, what);
}

static void
check_wrapper(const struct subject *subject)
{
	if (subject->settings.tls == TLS_WRAPPER &&
	    subject->destination->port == ENDPOINT_PORT_SMTP)
		say_once(subject, SEVERITY_WARNING,
		    "tls=wrapper at port 25, where hosts begin without TLS; "
		    "expected port 465");
}

static void
check_name(const struct subject *subject)
{
	const struct host_settings *settings = &subject->settings;
	g_autofree char *what = NULL;

	if (settings->tls_name == NULL || settings->tls >= TLS_SECURE)
		return;
	what = g_strdup_printf("tls-name %s, but tls=%s verifies nothing; "
			       "expected tls=secure, dane or wrapper",
	    settings->tls_name, tls_level_name(settings->tls));
	say_once(subject, SEVERITY_WARNING, what);
}

static void
check_dane(const struct subject *subject)
{
	if (subject->settings.tls != TLS_DANE)
		return;
	if (subject->destination->kind == DESTINATION_ADDRESS)
		say_once(subject, SEVERITY_WARNING,
		    "tls=dane is as tls=encrypt for an address, which has no "
		    "TLSA records; expected a name, or tls=secure");
	else if (subject->check->dane == NULL)
		subject->check->dane = subject_place(subject);
}

void
check_route_security(struct check *check, const char *path,
    const struct maptext_entry *entry, const struct route *route)
{
	for (guint i = 0; i < route->destinations->len; i++) {
		const struct destination *destination =
		    route->destinations->pdata[i];
		const struct subject subject = {check, path, entry, i,
		    destination, plan_settings(check->settings, destination)};

		check_profile(&subject);
		check_clear_text(&subject);
		check_unverified(&subject);
		check_wrapper(&subject);
		check_name(&subject);
		check_dane(&subject);
	}
}

/* Also if no route but USEDNS has it. */
static void
find_dane_in_settings(struct check *check)
{
	g_autoptr(Keyfile) keyfile = NULL;

	if (check->dane != NULL || check->settings->defaults.tls != TLS_DANE)
		return;
	keyfile = keyfile_new(check->conf, SETTINGS_FAULTS_MAX);
	keyfile_load(keyfile, check->conf);
	check->dane = g_strdup_printf("%s:%u", check->conf,
	    keyfile_line(keyfile, "smtproute", "tls"));
}

void
check_dns_security(struct check *check)
{
	g_autoptr(Resolver) resolver = NULL;

	if (check->settings == NULL || !check_knows(check, "dns-servers"))
		return;
	find_dane_in_settings(check);
	if (check->dane == NULL || check->settings->dns_trust_ad == ANSWER_YES)
		return;
	resolver = resolver_new(check->settings->dns_servers);
	if (resolver_open(resolver, NULL) == NULL ||
	    resolver_is_local(resolver))
		return;
	finding(&check->findings, SEVERITY_WARNING, check->dane,
	    "tls=dane, but TLSA records are not believed: there are DNS "
	    "servers on other machines, and dns-trust-ad = no; expected a "
	    "resolver on this machine that validates");
}
