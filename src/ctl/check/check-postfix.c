/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What master.cf and main.cf lack or contradict.
 */
#include <config.h>

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/check/check-domains.h"
#include "ctl/check/check-lmtp.h"
#include "ctl/check/check-postfix.h"
#include "ctl/check/check-service.h"
#include "ctl/check/check-stale.h"
#include "ctl/postconf.h"
#include "ctl/transport.h"
#include "route/mapcopy.h"
#include "route/mapkey.h"
#include "route/routemap.h"

/* What pipe(8) grants over time-limit, to end in its own good time. */
#define TIME_SPARE 30

/* How many keys of the map are looked up in transport_maps. */
#define KEYS_TRIED 3

static char *
service_parameter(const struct service *service, const char *suffix)
{
	g_autofree char *name = g_strconcat(service->name, suffix, NULL);

	return postconf_effective(name);
}

static void
check_recipient_limit(struct check *check, const struct service *service)
{
	g_autofree char *limit =
	    service_parameter(service, "_destination_recipient_limit");
	g_autofree char *where =
	    g_strdup_printf("main.cf: %s_destination_recipient_limit",
		service->name);

	if (strcmp(limit, "1") != 0)
		finding(&check->findings, SEVERITY_ERROR, where,
		    "is %s; expected 1, since pipe(8) takes one result for "
		    "all recipients of a call",
		    limit);
}

static void
check_time_limit(struct check *check, const struct service *service)
{
	g_autofree char *name = g_strconcat(service->name, "_time_limit", NULL);
	g_autofree char *where = g_strconcat("main.cf: ", name, NULL);
	g_autofree char *value = postconf_effective(name);
	const char *option = service_option(service, name);
	guint64 granted;
	guint64 needed;

	if (!check_knows(check, "time-limit") ||
	    !service_reads(service, check->conf) ||
	    !postconf_seconds(option != NULL ? option : value, &granted))
		return;
	needed = (guint64)(check->settings->time_limit / G_TIME_SPAN_SECOND);
	if (granted < needed + TIME_SPARE)
		finding(&check->findings, SEVERITY_ERROR, where,
		    "is %" G_GUINT64_FORMAT
		    " s; expected at least %" G_GUINT64_FORMAT
		    " s, since time-limit is %" G_GUINT64_FORMAT
		    " s and pipe(8) kills and bounces",
		    granted, needed + TIME_SPARE, needed);
}

/* The user and group that pipe(8) and spawn(8) refuse besides root's. */
static void
check_owner(struct check *check, const struct service *service)
{
	g_autofree char *owner = postconf_effective("mail_owner");
	g_autofree char *where = service_place(service);
	const char *user = service_attribute(service, "user");
	g_auto(GStrv) parts = g_strsplit(user != NULL ? user : "", ":", 2);
	const struct passwd *entry = getpwnam(owner);
	const struct group *group;
	gid_t gid;

	if (parts[0] == NULL || entry == NULL)
		return;
	gid = entry->pw_gid;
	if (strcmp(parts[0], owner) == 0) {
		finding(&check->findings, SEVERITY_ERROR, where,
		    "user is %s, the owner of the mail system, whom %s(8) "
		    "refuses; expected user=%s",
		    owner, service->daemon, SERVICE_USER);
		return;
	}
	group = parts[1] != NULL ? getgrnam(parts[1]) : NULL;
	entry = getpwnam(parts[0]);
	if ((group != NULL && group->gr_gid == gid) ||
	    (parts[1] == NULL && entry != NULL && entry->pw_gid == gid))
		finding(&check->findings, SEVERITY_ERROR, where,
		    "the group is that of the mail system, which %s(8) "
		    "refuses; expected another",
		    service->daemon);
}

static guint
count_readers(const struct check *check)
{
	guint count = 0;

	for (guint i = 0; i < check->services->len; i++) {
		const struct service *service = check->services->pdata[i];

		count += service_is_smtproute(service) &&
		    service_reads(service, check->conf);
	}
	return count;
}

/* A service may well have settings of its own, if another has these. */
static void
check_settings_path(struct check *check, const struct service *service)
{
	g_autofree char *where = service_place(service);
	g_autofree char *conf = g_canonicalize_filename(check->conf, NULL);
	struct service_call call = service_call(service);

	if (count_readers(check) == 0)
		finding(&check->findings, SEVERITY_WARNING, where,
		    "reads %s; expected -c %s, the settings checked here",
		    call.conf != NULL ? call.conf : SETTINGS_PATH, conf);
}

/* Parameters that name one transport for whatever comes to them. */
static gboolean
is_chosen(const char *transport)
{
	static const char *const names[] = {"default_transport",
	    "relay_transport", "virtual_transport", "local_transport",
	    "mailbox_transport", "fallback_transport", "content_filter",
	    "sender_dependent_default_transport_maps"};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *value = postconf_effective(names[i]);

		if (strcmp(value, transport) == 0 ||
		    transport_names(value, transport))
			return TRUE;
	}
	return FALSE;
}

/*
 * The first keys of the route map, new strings; NULL at the end.  What is
 * wrong with the map, check_routes() says.
 */
static char **
first_keys(const struct check *check)
{
	GPtrArray *keys = g_ptr_array_new();
	struct maptext_entry entry;
	struct maptext map;

	if (check->map != NULL) {
		mapcopy_begin(check->settings->routes, check->map, &map);
		while (keys->len < KEYS_TRIED && maptext_next(&map, &entry)) {
			char *key = mapkey_of(&entry);

			if (key != NULL)
				g_ptr_array_add(keys, key);
		}
	}
	g_ptr_array_add(keys, NULL);
	return (char **)g_ptr_array_free(keys, FALSE);
}

/* Do the first keys of the map lead to the service? */
static gboolean
is_found(const struct check *check, const char *maps, const char *transport)
{
	g_auto(GStrv) list = transport_split(maps);
	g_auto(GStrv) keys = first_keys(check);

	tables_ask_all(check->tables, list, (const char *const *)keys);
	for (gsize i = 0; keys[i] != NULL; i++) {
		g_autofree char *value = NULL;
		const char *map;

		if (!tables_first(check->tables, list, keys[i], &map, &value))
			return FALSE;
		if (map != NULL && transport_names(value, transport))
			return TRUE;
	}
	return FALSE;
}

/* Does a map before ours take their mail? */
static void
check_order(struct check *check, const char *maps, const char *transport)
{
	g_auto(GStrv) list = transport_split(maps);
	g_auto(GStrv) keys = first_keys(check);

	/* As a rule there is no other map. */
	if (g_strv_length(list) < 2)
		return;
	tables_ask_all(check->tables, list, (const char *const *)keys);
	for (gsize i = 0; keys[i] != NULL; i++) {
		g_autofree char *value = NULL;
		const char *map;

		if (!tables_first(check->tables, list, keys[i], &map, &value))
			return;
		if (map == NULL || transport_names(value, transport))
			continue;
		finding(&check->findings, SEVERITY_WARNING,
		    "main.cf: transport_maps",
		    "%s goes to %s by %s, before %s; expected one of the two "
		    "entries",
		    keys[i], value, map, transport);
	}
}

static void
check_map_path(struct check *check, const char *map)
{
	const char *colon = strchr(map, ':');

	if (!check_knows(check, "routes") || colon == NULL || colon[1] != '/' ||
	    transport_reads(map, check->settings->routes))
		return;
	finding(&check->findings, SEVERITY_WARNING, "main.cf: transport_maps",
	    "reads %s; expected %s, where smtproute has its routes", map,
	    check->settings->routes);
}

/* No pipemap leads to the service; does anything? */
static void
check_leads(struct check *check, const char *maps, const char *transport)
{
	g_autofree char *expected = NULL;
	g_autofree char *map = NULL;
	enum transport_sight sight;

	if (is_chosen(transport))
		return;
	sight = transport_see(maps, transport, &map);
	if (sight == TRANSPORT_LEADS || !check_knows(check, "routes") ||
	    is_found(check, maps, transport))
		return;
	if (sight == TRANSPORT_HIDDEN) {
		finding(&check->findings, SEVERITY_NOTE,
		    "main.cf: transport_maps",
		    "%s cannot be read here; nothing else in it leads mail to "
		    "%s",
		    map, transport);
		return;
	}
	expected = transport_pipemap(check->settings->routes, transport);
	finding(&check->findings, SEVERITY_WARNING, "main.cf: transport_maps",
	    "leads no mail to %s; expected %s", transport, expected);
}

static void
check_transport(struct check *check, const struct service *service)
{
	g_autofree char *transport = service_transport(service);
	g_autofree char *maps = NULL;
	g_autofree char *pipemap = NULL;

	/* Its routes are elsewhere. */
	if (!service_reads(service, check->conf))
		return;
	maps = postconf_effective("transport_maps");
	pipemap = transport_find(maps, transport);
	if (pipemap == NULL) {
		check_leads(check, maps, transport);
		return;
	}
	check_map_path(check, pipemap);
	check_stale(check, pipemap);
	check_order(check, maps, transport);
	check_domains(check, maps, transport);
}

void
check_postfix(struct check *check)
{
	g_autofree char *level = NULL;
	guint count = 0;

	if (check->services == NULL)
		return;
	level = postconf_effective("compatibility_level");
	for (guint i = 0; i < check->services->len; i++) {
		const struct service *service = check->services->pdata[i];

		if (!service_is_smtproute(service))
			continue;
		count++;
		if (service_is_ours(service)) {
			check_service(&check->findings, service, level);
			check_recipient_limit(check, service);
			check_time_limit(check, service);
		} else {
			check_lmtp(check, service, level);
		}
		check_owner(check, service);
		check_settings_path(check, service);
		check_transport(check, service);
	}
	if (count == 0)
		finding(&check->findings, SEVERITY_ERROR, "master.cf",
		    "no service runs smtproute; expected one: smtproutectl "
		    "postfix --apply adds it");
}
