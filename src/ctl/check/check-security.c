/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS and AUTH as the hosts of routes have them: what contradicts itself, and
 * what promises more than it keeps.
 */
#include <config.h>

#include <string.h>
#include <sys/socket.h>

#include "address/endpoint.h"
#include "agent/plan.h"
#include "conf/authname.h"
#include "ctl/check/check-entry.h"
#include "ctl/check/check-security.h"

/* RFC 6409 and RFC 8314. */
#define PORT_SUBMISSION  587
#define PORT_SUBMISSIONS 465

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

/* Ports where hosts begin with TLS, and where they do not. */
static void
check_port(const struct subject *subject)
{
	gboolean wrapper = subject->settings.tls == TLS_WRAPPER;
	guint port = subject->destination->port;
	g_autofree char *what = NULL;

	if (wrapper &&
	    (port == ENDPOINT_PORT_SMTP || port == PORT_SUBMISSION)) {
		what = g_strdup_printf(
		    "tls=wrapper at port %u, where hosts begin without TLS; "
		    "expected port 465, or tls=secure",
		    port);
		say_once(subject, SEVERITY_WARNING, what);
	}
	if (!wrapper && port == PORT_SUBMISSIONS)
		say_once(subject, SEVERITY_WARNING,
		    "port 465 without tls=wrapper, where hosts say nothing "
		    "before TLS begins and each try takes greeting-timeout; "
		    "expected tls=wrapper");
}

/* "::1:2526" is an address of its own, and so is "::1". */
static void
check_address(const struct subject *subject)
{
	const struct destination *destination = subject->destination;
	g_autofree char *text = NULL;
	g_autofree char *before = NULL;
	g_autofree char *what = NULL;
	struct endpoint endpoint;
	char *colon;
	guint64 port;

	if (destination->kind != DESTINATION_ADDRESS)
		return;
	text = check_entry_text(subject->entry, subject->index);
	colon = strrchr(text, ':');
	if (text[0] == '[' || colon == NULL ||
	    !g_ascii_string_to_unsigned(colon + 1, 10, 1, G_MAXUINT16, &port,
		NULL))
		return;
	before = g_strndup(text, (gsize)(colon - text));
	if (!endpoint_parse(before, 0, &endpoint) ||
	    endpoint_family(&endpoint) != AF_INET6)
		return;
	what = g_strdup_printf(
	    "%s is an address and has no port; expected [%s]:%s, if that was "
	    "meant, or else [%s]",
	    text, before, colon + 1, text);
	say_once(subject, SEVERITY_WARNING, what);
}

static void
note_groups(const struct subject *subject)
{
	const struct destination *destination = subject->destination;
	GHashTable *groups = subject->check->groups;

	/* Of millions of hosts none is to be remembered in vain. */
	if (!settings_have_hosts(subject->check->settings))
		return;
	g_hash_table_add(groups, settings_host_id(destination->name, 0));
	g_hash_table_add(groups,
	    settings_host_id(destination->name, destination->port));
}

/* With USEDNS the recipient's domain is the host. */
static void
note_domain(struct check *check, const char *key)
{
	if (key == NULL || key[0] == '.' || key[0] == '*' ||
	    g_ascii_strcasecmp(key, "ALL") == 0) {
		check->any_group = TRUE;
		return;
	}
	if (!settings_have_hosts(check->settings))
		return;
	g_hash_table_add(check->groups, settings_host_id(key, 0));
	g_hash_table_add(check->groups,
	    settings_host_id(key, ENDPOINT_PORT_SMTP));
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
	if (route->kind == ROUTE_DNS)
		note_domain(check, route->key);
	for (guint i = 0; i < route->destinations->len; i++) {
		const struct destination *destination =
		    route->destinations->pdata[i];
		const struct subject subject = {check, path, entry, i,
		    destination, plan_settings(check->settings, destination)};

		check_profile(&subject);
		check_clear_text(&subject);
		check_unverified(&subject);
		check_port(&subject);
		check_address(&subject);
		note_groups(&subject);
		check_name(&subject);
		check_dane(&subject);
	}
}

/* Also if no route but USEDNS has it. */
static void
find_dane_in_settings(struct check *check)
{
	if (check->dane != NULL || check->settings->defaults.tls != TLS_DANE)
		return;
	check->dane = keyfile_place(check->keyfile, "smtproute", "tls");
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
