/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>
#include <sys/stat.h>

#include "ctl/service.h"
#include "ctl/transport.h"
#include "route/maplmdb.h"
#include "route/maptext.h"
#include "util/slurp.h"

#define BLANKS ", \t\r\n"

/* Longer tables than this are not read. */
#define TEXT_MAX (64 * 1024 * 1024)

/* Maps of maps of maps are nobody's. */
#define DEPTH_MAX 4

char *
transport_table(const char *routes)
{
	return maplmdb_is(routes) ? g_strdup(routes)
				  : g_strconcat("texthash:", routes, NULL);
}

gboolean
transport_reads(const char *map, const char *routes)
{
	const char *colon = strchr(map, ':');
	struct stat theirs;
	struct stat ours;

	/* Of a text Postfix may have any index. */
	if (maplmdb_is(routes) || colon == NULL)
		return strcmp(map, routes) == 0;
	return strcmp(colon + 1, routes) == 0 ||
	    (stat(colon + 1, &theirs) == 0 && stat(routes, &ours) == 0 &&
		theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino);
}

static gboolean
has_nexthop(const char *service)
{
	return strchr(service, ':') != NULL;
}

char *
transport_pipemap(const char *routes, const char *service)
{
	g_autofree char *table = transport_table(routes);

	return g_strdup_printf("pipemap:{%s, static:{%s%s}}", table, service,
	    has_nexthop(service) ? "" : ":");
}

gboolean
transport_path_is_plain(const char *path)
{
	for (const char *p = path; *p != '\0'; p++) {
		if (!g_ascii_isgraph(*p) || strchr(",${}()#\"'\\=", *p) != NULL)
			return FALSE;
	}
	return TRUE;
}

char **
transport_split(const char *maps)
{
	GPtrArray *list = g_ptr_array_new();
	char *map;

	while ((map = service_word(&maps, BLANKS)) != NULL)
		g_ptr_array_add(list, map);
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(list, FALSE);
}

void
transport_add_keys(GPtrArray *keys, const char *domain)
{
	g_ptr_array_add(keys, g_ascii_strdown(domain, -1));
	for (const char *dot = strchr(domain, '.');
	     domain[0] != '[' && dot != NULL; dot = strchr(dot + 1, '.'))
		g_ptr_array_add(keys, g_ascii_strdown(dot, -1));
	g_ptr_array_add(keys, g_strdup("*"));
}

gboolean
transport_is_table(const char *word)
{
	return strpbrk(word, ":/!") != NULL;
}

/* What is between the braces of "type:{...}", NULL: @map is none. */
static char *
inside(const char *map, const char *type)
{
	gsize length = strlen(map);
	gsize head = strlen(type);

	if (!g_str_has_prefix(map, type) || map[head] != '{' ||
	    map[length - 1] != '}')
		return NULL;
	return g_strstrip(g_strndup(map + head + 1, length - head - 2));
}

/* "static:{service:...}", or the same without braces. */
static gboolean
is_static(const char *map, const char *service)
{
	g_autofree char *value = inside(map, "static:");
	gsize length = strlen(service);

	if (value == NULL && g_str_has_prefix(map, "static:"))
		value = g_strdup(map + strlen("static:"));
	return value != NULL && strncmp(value, service, length) == 0 &&
	    (value[length] == ':' || value[length] == '\0');
}

char *
transport_find(const char *maps, const char *service)
{
	g_auto(GStrv) list = transport_split(maps);

	for (gsize i = 0; list[i] != NULL; i++) {
		g_autofree char *pipe = inside(list[i], "pipemap:");
		g_auto(GStrv) parts = NULL;
		guint count;

		if (pipe == NULL)
			continue;
		parts = transport_split(pipe);
		count = g_strv_length(parts);
		if (count >= 2 && is_static(parts[count - 1], service))
			return g_strdup(parts[0]);
	}
	return NULL;
}

/* May @next follow the service? */
static gboolean
ends(const char *service, char next)
{
	if (!has_nexthop(service))
		return next == ':';
	return next == '\0' ||
	    (!g_ascii_isalnum(next) && strchr("-._/:", next) == NULL);
}

gboolean
transport_names(const char *text, const char *service)
{
	gsize length = strlen(service);
	const char *at = text;

	while ((at = strstr(at, service)) != NULL) {
		gboolean begins = at == text ||
		    (!g_ascii_isalnum(at[-1]) &&
			strchr("-._/", at[-1]) == NULL);

		if (begins && ends(service, at[length]))
			return TRUE;
		at += length;
	}
	return FALSE;
}

/* Does the value of an entry in this text lead to the service? */
static gboolean
is_in_text(const char *text, gsize length, const char *service)
{
	struct maptext_entry entry;
	struct maptext map;

	maptext_begin(&map, text, length);
	while (maptext_next(&map, &entry)) {
		g_autofree char *value =
		    g_strndup(entry.value, entry.value_length);

		if (transport_names(value, service))
			return TRUE;
	}
	return FALSE;
}

static enum transport_sight
see_file(const char *path, const char *service)
{
	g_autofree char *text = NULL;
	g_autofree char *reason = NULL;
	gsize length;

	reason = slurp(path, TEXT_MAX, &text, &length);
	if (reason != NULL)
		return TRANSPORT_HIDDEN;
	return is_in_text(text, length, service) ? TRANSPORT_LEADS
						 : TRANSPORT_NO;
}

static enum transport_sight
see_list(const char *maps, const char *service, guint depth, char **ret_map);

/* One map; a map of maps is as good as they are. */
static enum transport_sight
see(const char *map, const char *service, guint depth)
{
	static const char *const texts[] = {"btree", "cdb", "cidr", "dbm",
	    "hash", "lmdb", "pcre", "regexp", "sdbm", "texthash", NULL};
	static const char *const wholes[] = {"fail", "inline", "static", NULL};
	static const char *const lists[] = {"pipemap:", "unionmap:"};
	g_auto(GStrv) parts = NULL;

	while (g_str_has_prefix(map, "proxy:"))
		map += strlen("proxy:");
	if (transport_names(map, service))
		return TRANSPORT_LEADS;
	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
		g_autofree char *list = inside(map, lists[i]);
		g_autofree char *first = NULL;

		if (list != NULL && depth < DEPTH_MAX)
			return see_list(list, service, depth + 1, &first);
	}
	parts = g_strsplit(map, ":", 2);
	if (parts[0] == NULL || parts[1] == NULL)
		return TRANSPORT_HIDDEN;
	if (g_strv_contains(wholes, parts[0]))
		return TRANSPORT_NO;
	if (g_strv_contains(texts, parts[0]) && parts[1][0] == '/')
		return see_file(parts[1], service);
	return TRANSPORT_HIDDEN;
}

static enum transport_sight
see_list(const char *maps, const char *service, guint depth, char **ret_map)
{
	g_auto(GStrv) list = transport_split(maps);
	g_autofree char *hidden = NULL;

	for (gsize i = 0; list[i] != NULL; i++) {
		enum transport_sight sight = see(list[i], service, depth);

		if (sight == TRANSPORT_LEADS) {
			*ret_map = g_strdup(list[i]);
			return TRANSPORT_LEADS;
		}
		if (sight == TRANSPORT_HIDDEN && hidden == NULL)
			hidden = g_strdup(list[i]);
	}
	if (hidden == NULL)
		return TRANSPORT_NO;
	*ret_map = g_steal_pointer(&hidden);
	return TRANSPORT_HIDDEN;
}

enum transport_sight
transport_see(const char *maps, const char *service, char **ret_map)
{
	return see_list(maps, service, 0, ret_map);
}
