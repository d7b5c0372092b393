/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "ctl/check/check-settings.h"
#include "dns/resolve.h"
#include "util/deadline.h"

/* As long as the agent asks for this machine's name. */
#define OWN_NAME_SPAN (5 * G_TIME_SPAN_SECOND)

static void
check_mark(struct check *check)
{
	g_autofree char *where = g_strdup_printf("%s:1", check->conf);

	if (check->keyfile->byte_order_mark)
		finding(&check->findings, SEVERITY_WARNING, where,
		    "begins with a byte order mark, which is left out; "
		    "expected none: sed -i '1s/^...//' %s",
		    check->conf);
}

/* What is set for nobody, such as tls = secure, protects nobody. */
static void
check_group(struct check *check, const char *group)
{
	const char *name = group + strlen("host ");
	g_autofree char *id = settings_group_id(name);
	g_autofree char *where = NULL;

	if (id == NULL || g_hash_table_contains(check->groups, id))
		return;
	where = keyfile_place(check->keyfile, group, NULL);
	finding(&check->findings, SEVERITY_WARNING, where,
	    "no route has the host of [%s]; expected a host as the routes "
	    "write it, or no such group",
	    group);
}

static void
check_route_group(struct check *check, const char *group)
{
	g_autofree char *id = choosing_id(group + strlen("route "));
	g_autofree char *where = NULL;

	if (g_hash_table_contains(check->keys, id))
		return;
	where = keyfile_place(check->keyfile, group, NULL);
	finding(&check->findings, SEVERITY_WARNING, where,
	    "no route has the key of [%s]; expected a key of the route map, "
	    "or no such group",
	    group);
}

static void
check_route_groups(struct check *check)
{
	const GPtrArray *groups = keyfile_groups(check->keyfile);

	for (guint i = 0; check->whole && i < groups->len; i++) {
		if (g_str_has_prefix(groups->pdata[i], "route "))
			check_route_group(check, groups->pdata[i]);
	}
}

/* Routes that are not in the map cannot be known. */
static void
check_groups(struct check *check)
{
	const GPtrArray *groups = keyfile_groups(check->keyfile);

	if (!check->whole || check->any_group || check->hosts == 0 ||
	    !settings_have_hosts(check->settings))
		return;
	for (guint i = 0; i < groups->len; i++) {
		if (g_str_has_prefix(groups->pdata[i], "host "))
			check_group(check, groups->pdata[i]);
	}
}

/* RFC 5321 section 2.3.5 wants a whole name, and many hosts insist on it. */
static void
check_helo_name(struct check *check)
{
	const char *set = check->settings->helo_name;
	g_autoptr(Resolver) resolver = NULL;
	g_autofree char *own = NULL;
	const char *name = set;

	if (set == NULL) {
		resolver = resolver_new(check->settings->dns_servers);
		name = own =
		    resolve_own_name(resolver, deadline_in(OWN_NAME_SPAN));
	}
	if (name[0] == '[' || strchr(name, '.') != NULL)
		return;
	finding(&check->findings, SEVERITY_WARNING, check->conf,
	    "the name for EHLO is %s%s, without a dot, which many hosts "
	    "refuse; expected helo-name = a full name",
	    name, set == NULL ? ", this machine's" : "");
}

void
check_settings(struct check *check)
{
	if (check->settings == NULL)
		return;
	check_mark(check);
	check_groups(check);
	check_route_groups(check);
	if (check_knows(check, "helo-name") &&
	    check_knows(check, "dns-servers"))
		check_helo_name(check);
}
