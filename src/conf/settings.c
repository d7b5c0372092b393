/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "address/domain.h"
#include "address/endpoint.h"
#include "conf/authname.h"
#include "conf/keyfile.h"
#include "conf/setting.h"
#include "conf/settings.h"
#include "conf/value.h"
#include "util/printable.h"
#include "util/secret.h"

/* As much of a name or value as a message quotes. */
#define VALUE_SHOWN 60

/* What a file is read with. */
struct reader {
	const struct keyfile *keyfile;
	struct settings *settings;
};

/*
 * The name in @text, a new string, without brackets; *ret_port is what comes
 * behind it, NULL: nothing.
 */
static char *
split_host(const char *text, const char **ret_port)
{
	const char *colon = strchr(text, ':');
	const char *end;

	*ret_port = NULL;
	if (text[0] == '[') {
		end = strchr(text, ']');
		if (end == NULL)
			return NULL;
		if (end[1] != '\0')
			*ret_port = end + 1;
		return g_strndup(text + 1, (gsize)(end - text - 1));
	}
	/* More colons than one are an IPv6 address, to its end. */
	if (colon == NULL || strchr(colon + 1, ':') != NULL)
		return g_strdup(text);
	*ret_port = colon;
	return g_strndup(text, (gsize)(colon - text));
}

char *
settings_group_id(const char *text)
{
	const char *port;
	g_autofree char *name = split_host(text, &port);
	g_autofree char *canonical = NULL;
	guint64 number = 0;

	if (name == NULL ||
	    (port != NULL &&
		(port[0] != ':' ||
		    !g_ascii_string_to_unsigned(port + 1, 10, 1, G_MAXUINT16,
			&number, NULL))))
		return NULL;
	canonical = endpoint_canonical(name);
	if (canonical == NULL)
		canonical = domain_canonical(name, NULL);
	return canonical != NULL ? settings_host_id(canonical, (guint)number)
				 : NULL;
}

/* Where the first of the rates that are at fault stands. */
static guint
rate_column(const struct keyfile *keyfile, const char *group, const char *name,
    const char *value)
{
	struct rates rates;
	gsize at = 0;

	rates_parse(value, ',', &rates, &at);
	return keyfile_column(keyfile, group, name) + (guint)at;
}

static gboolean
read_key(const struct reader *reader, const char *group, const char *name,
    enum setting_place place, void *fields)
{
	const struct setting *setting = setting_find(place, name);
	guint line = keyfile_line(reader->keyfile, group, name);
	g_autofree char *shown = NULL;
	g_autofree char *value = NULL;

	if (setting == NULL) {
		g_autofree char *accepted = setting_list(place);

		shown = printable(name, VALUE_SHOWN);
		return keyfile_refuse(reader->keyfile, line, NULL,
		    SETTINGS_ERROR_KEY, "unknown key \"%s\"; expected %s",
		    shown, accepted);
	}
	value = keyfile_value(reader->keyfile, group, name);
	if (setting_take(setting, value, reader->settings, fields))
		return TRUE;
	shown = printable(value, VALUE_SHOWN);
	if (setting->take == value_take_rates)
		return keyfile_refuse(reader->keyfile, line, setting->name,
		    SETTINGS_ERROR_VALUE,
		    "bad value \"%s\" of %s, at column %u; expected %s", shown,
		    name, rate_column(reader->keyfile, group, name, value),
		    setting->accepted);
	return keyfile_refuse(reader->keyfile, line, setting->name,
	    SETTINGS_ERROR_VALUE, "bad value \"%s\" of %s; expected %s", shown,
	    name, setting->accepted);
}

/*
 * Sets *ret to the new host's settings, all unset; where @group is at fault,
 * to some that are never looked up.
 */
static gboolean
add_host(const struct reader *reader, const char *group,
    struct host_settings **ret)
{
	GHashTable *hosts = reader->settings->hosts;
	g_autofree char *id = settings_group_id(group + strlen("host "));
	g_autofree char *shown = printable(group, VALUE_SHOWN);
	guint line = keyfile_line(reader->keyfile, group, NULL);
	gboolean known = id != NULL && g_hash_table_contains(hosts, id);
	struct host_settings *host = g_new0(struct host_settings, 1);

	*ret = host;
	if (id != NULL && !known) {
		g_hash_table_insert(hosts, g_steal_pointer(&id), host);
		return TRUE;
	}
	g_hash_table_insert(hosts, g_strconcat("?", group, NULL), host);
	if (known)
		return keyfile_refuse(reader->keyfile, line, NULL,
		    SETTINGS_ERROR_KEY,
		    "second group for the host of [%s]; expected one", shown);
	return keyfile_refuse(reader->keyfile, line, NULL, SETTINGS_ERROR_VALUE,
	    "bad host in [%s]; expected NAME, NAME:PORT, [ADDRESS]:PORT or "
	    "an address",
	    shown);
}

/* As add_host(). */
static gboolean
add_route(const struct reader *reader, const char *group, struct choosing **ret)
{
	GHashTable *routes = reader->settings->routes_apart;
	g_autofree char *id = choosing_id(group + strlen("route "));
	g_autofree char *shown = printable(group, VALUE_SHOWN);
	gboolean known = g_hash_table_contains(routes, id);
	struct choosing *route = g_new(struct choosing, 1);

	*route = choosing_unset();
	*ret = route;
	if (!known) {
		g_hash_table_insert(routes, g_steal_pointer(&id), route);
		return TRUE;
	}
	g_hash_table_insert(routes, g_strconcat("?", group, NULL), route);
	return keyfile_refuse(reader->keyfile,
	    keyfile_line(reader->keyfile, group, NULL), NULL,
	    SETTINGS_ERROR_KEY,
	    "second group for the route of [%s]; expected one", shown);
}

/* As add_host(). */
static gboolean
add_profile(const struct reader *reader, const char *group,
    struct auth_profile **ret)
{
	GHashTable *profiles = reader->settings->profiles;
	const char *name = group + strlen("auth ");
	g_autofree char *id = authname_canonical(name);
	g_autofree char *shown = printable(group, VALUE_SHOWN);
	guint line = keyfile_line(reader->keyfile, group, NULL);
	gboolean known = g_hash_table_contains(profiles, id);
	struct auth_profile *profile = g_new0(struct auth_profile, 1);

	*ret = profile;
	if (known) {
		g_hash_table_insert(profiles, g_strconcat("?", group, NULL),
		    profile);
		return keyfile_refuse(reader->keyfile, line, NULL,
		    SETTINGS_ERROR_KEY,
		    "second group for the profile of [%s], where letters are "
		    "alike in upper and lower case; expected one",
		    shown);
	}
	g_hash_table_insert(profiles, g_steal_pointer(&id), profile);
	if (authname_is_valid(name))
		return TRUE;
	return keyfile_refuse(reader->keyfile, line, NULL, SETTINGS_ERROR_VALUE,
	    "bad profile in [%s]; expected " AUTHNAME_EXPECTED, shown);
}

/* Settings hold the password itself, apart from all other texts. */
static void
take_secret(const struct reader *reader, const char *group,
    struct auth_profile *profile)
{
	const char *secret = keyfile_secret(reader->keyfile, group);

	if (profile->password == NULL || secret == NULL)
		return;
	g_ptr_array_add(reader->settings->secrets,
	    secret_new(secret, strlen(secret)));
	profile->password = g_ptr_array_index(reader->settings->secrets,
	    reader->settings->secrets->len - 1);
}

static gboolean
has_key(const struct reader *reader, const char *group, const char *key)
{
	return keyfile_line(reader->keyfile, group, key) != 0;
}

/* One way to a secret, and a name to go with it; whatever they are worth. */
static gboolean
check_profile(const struct reader *reader, const char *group)
{
	gboolean named = has_key(reader, group, "username");
	guint ways = has_key(reader, group, "password-file") +
	    has_key(reader, group, "token-file") +
	    has_key(reader, group, "password");

	g_autofree char *shown = NULL;

	if (named && ways == 1)
		return TRUE;
	shown = printable(group, VALUE_SHOWN);
	return keyfile_refuse(reader->keyfile,
	    keyfile_line(reader->keyfile, group, NULL), NULL,
	    SETTINGS_ERROR_VALUE,
	    "[%s] has %s; expected username and one of password-file, "
	    "token-file and password",
	    shown,
	    !named          ? "no username"
		: ways == 0 ? "no password"
			    : "more than one password");
}

static gboolean
read_keys(const struct reader *reader, const char *group,
    enum setting_place place, void *fields)
{
	g_auto(GStrv) names = keyfile_keys(reader->keyfile, group);

	for (gsize i = 0; names[i] != NULL; i++) {
		if (!read_key(reader, group, names[i], place, fields))
			return FALSE;
	}
	return TRUE;
}

static gboolean
read_profile(const struct reader *reader, const char *group)
{
	struct auth_profile *profile;

	if (!add_profile(reader, group, &profile) ||
	    !read_keys(reader, group, IN_AUTH, profile))
		return FALSE;
	take_secret(reader, group, profile);
	return check_profile(reader, group);
}

static gboolean
read_group(const struct reader *reader, const char *group)
{
	struct host_settings *host;
	struct choosing *route;
	g_autofree char *shown = NULL;

	if (strcmp(group, "smtproute") == 0)
		return read_keys(reader, group, IN_SMTPROUTE,
		    &reader->settings->defaults);
	if (g_str_has_prefix(group, "host "))
		return add_host(reader, group, &host) &&
		    read_keys(reader, group, IN_HOST, host);
	if (g_str_has_prefix(group, "route "))
		return add_route(reader, group, &route) &&
		    read_keys(reader, group, IN_ROUTE, route);
	if (g_str_has_prefix(group, "auth "))
		return read_profile(reader, group);
	shown = printable(group, VALUE_SHOWN);
	return keyfile_refuse(reader->keyfile,
	    keyfile_line(reader->keyfile, group, NULL), NULL,
	    SETTINGS_ERROR_KEY,
	    "unknown group [%s]; expected [smtproute], [host NAME], "
	    "[host NAME:PORT], [route KEY] or [auth NAME]",
	    shown);
}

/* Every profile that a host is given is there. */
static gboolean
check_auth(const struct reader *reader, const char *group)
{
	g_autofree char *name = NULL;
	g_autofree char *shown = NULL;

	if (!g_str_has_prefix(group, "host "))
		return TRUE;
	name = keyfile_value(reader->keyfile, group, "auth");
	if (name == NULL || settings_auth(reader->settings, name) != NULL ||
	    keyfile_has_fault(reader->keyfile,
		keyfile_line(reader->keyfile, group, "auth")))
		return TRUE;
	shown = printable(name, VALUE_SHOWN);
	return keyfile_refuse(reader->keyfile,
	    keyfile_line(reader->keyfile, group, "auth"), "auth",
	    SETTINGS_ERROR_VALUE,
	    "bad value \"%s\" of auth; expected a profile with a group "
	    "[auth NAME]",
	    shown);
}

static gboolean
read_groups(const struct reader *reader)
{
	const GPtrArray *groups = keyfile_groups(reader->keyfile);

	for (guint i = 0; i < groups->len; i++) {
		if (!read_group(reader, groups->pdata[i]))
			return FALSE;
	}
	for (guint i = 0; i < groups->len; i++) {
		if (!check_auth(reader, groups->pdata[i]))
			return FALSE;
	}
	return TRUE;
}

/* What keys together make no sense of. */
static gboolean
check_retry(const struct reader *reader)
{
	guint min = keyfile_line(reader->keyfile, "smtproute", "retry-min");
	guint max = keyfile_line(reader->keyfile, "smtproute", "retry-max");

	if (reader->settings->retry_min <= reader->settings->retry_max ||
	    keyfile_has_fault(reader->keyfile, min) ||
	    keyfile_has_fault(reader->keyfile, max))
		return TRUE;
	return keyfile_refuse(reader->keyfile, MAX(min, max), NULL,
	    SETTINGS_ERROR_VALUE,
	    "retry-min is longer than retry-max; expected at most as long");
}

static struct settings *
settings_new(void)
{
	struct settings *settings = g_new0(struct settings, 1);

	settings->texts = g_string_chunk_new(512);
	settings->hosts =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	settings->routes_apart =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	settings->profiles =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	settings->secrets =
	    g_ptr_array_new_with_free_func((GDestroyNotify)secret_free);
	setting_take_defaults(settings);
	return settings;
}

/* NULL: @path cannot be read. */
static struct settings *
load_settings(struct keyfile *keyfile, const char *path)
{
	g_autoptr(Settings) settings = settings_new();
	const struct reader reader = {keyfile, settings};
	const struct settings_fault *first;

	settings->path = g_string_chunk_insert(settings->texts, path);
	if (keyfile_load(keyfile, path) && read_groups(&reader))
		check_retry(&reader);
	if (keyfile->faults->len > 0) {
		first = keyfile->faults->pdata[0];
		if (first->line == 0)
			return NULL;
	}
	return g_steal_pointer(&settings);
}

struct settings *
settings_load(const char *path, GError **error)
{
	g_autoptr(Keyfile) keyfile = keyfile_new(path, 1);
	g_autoptr(Settings) settings = load_settings(keyfile, path);
	const struct settings_fault *first;

	if (keyfile->faults->len == 0)
		return g_steal_pointer(&settings);
	first = keyfile->faults->pdata[0];
	g_propagate_error(error, g_error_copy(first->error));
	return NULL;
}

struct settings *
settings_load_all(const char *path, struct keyfile **ret_keyfile)
{
	struct keyfile *keyfile = keyfile_new(path, SETTINGS_FAULTS_MAX);

	*ret_keyfile = keyfile;
	return load_settings(keyfile, path);
}

void
settings_free(struct settings *settings)
{
	g_ptr_array_unref(settings->secrets);
	g_hash_table_destroy(settings->profiles);
	g_hash_table_destroy(settings->routes_apart);
	g_hash_table_destroy(settings->hosts);
	g_string_chunk_free(settings->texts);
	g_free(settings);
}
