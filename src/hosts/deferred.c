/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "hosts/deferred.h"
#include "hosts/sweep.h"

/* Values begin with the real time that they were put (sweep.h). */
#define COUNT_KEY      "late-count"
#define TAKEN_KEY      "late-taken" /* how many were, ever */
#define MESSAGE_PREFIX "late "      /* route, blank, id */
#define HOST_PREFIX    "lateof "    /* name:port, blank, route */

/* Of a SHA-256 in hexadecimal: nobody is to find two routes with one key. */
#define ROUTE_LENGTH 40

gboolean
deferred_is_id(const char *id)
{
	gsize length = strspn(id,
	    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

	return length > 0 && length <= DEFERRED_ID_MAX && id[length] == '\0';
}

char *
deferred_route(const struct contender *contenders, guint count)
{
	g_autoptr(GString) hosts = g_string_new(NULL);
	char *sum;

	for (guint i = 0; i < count; i++)
		g_string_append_printf(hosts, "%s:%u,", contenders[i].name,
		    contenders[i].port);
	sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, hosts->str,
	    (gssize)hosts->len);
	sum[ROUTE_LENGTH] = '\0';
	return sum;
}

static char *
message_key(const char *route, const char *id)
{
	return g_strconcat(MESSAGE_PREFIX, route, " ", id, NULL);
}

static char *
host_prefix(const char *name, guint16 port)
{
	return g_strdup_printf(HOST_PREFIX "%s:%u ", name, port);
}

static guint64
load_number(struct statefile_view *view, const char *key)
{
	const void *value = statefile_get(view, key, sizeof(guint64));
	guint64 number = 0;

	if (value != NULL)
		memcpy(&number, value, sizeof(number));
	return number;
}

static guint64
load_count(struct statefile_view *view)
{
	return load_number(view, COUNT_KEY);
}

static void
store_count(struct statefile_view *view, guint64 count)
{
	if (count == 0)
		statefile_delete(view, COUNT_KEY);
	else
		statefile_put(view, COUNT_KEY, &count, sizeof(count));
}

gboolean
deferred_any(struct statefile_view *view)
{
	return load_count(view) > 0;
}

/* The next key with @prefix from @from on; NULL: there is none. */
static char *
find(struct statefile_view *view, const char *prefix, const char *from,
    gint64 *ret_time)
{
	const void *value;
	gsize size;
	const char *key = statefile_seek(view, from, &value, &size);

	if (key == NULL || !g_str_has_prefix(key, prefix))
		return NULL;
	*ret_time = 0;
	if (size >= sizeof(*ret_time))
		memcpy(ret_time, value, sizeof(*ret_time));
	return g_strdup(key);
}

static void
put_time(struct statefile_view *view, const char *key)
{
	gint64 now = g_get_real_time();
	gboolean known = statefile_get(view, key, sizeof(now)) != NULL;

	statefile_put(view, key, &now, sizeof(now));
	if (!known && g_str_has_prefix(key, HOST_PREFIX))
		sweep_after(view, key);
}

void
deferred_add(struct statefile_view *view, const char *id,
    const struct contender *contenders, guint count)
{
	g_autofree char *route = deferred_route(contenders, count);
	g_autofree char *key = message_key(route, id);
	guint64 messages = load_count(view);

	if (statefile_get(view, key, sizeof(gint64)) == NULL)
		store_count(view, messages + 1);
	put_time(view, key);
	for (guint i = 0; i < count; i++) {
		g_autofree char *prefix = NULL;
		g_autofree char *note = NULL;

		if (contenders[i].standing == STANDING_FREE)
			continue;
		prefix = host_prefix(contenders[i].name, contenders[i].port);
		note = g_strconcat(prefix, route, NULL);
		put_time(view, note);
	}
	if (messages >= DEFERRED_MAX)
		store_count(view,
		    sweep_oldest(view, MESSAGE_PREFIX, NULL, DEFERRED_MAX,
			DEFERRED_MAX / 10 * 9));
}

static void
drop(struct statefile_view *view, const char *key)
{
	guint64 messages = load_count(view);

	statefile_delete(view, key);
	store_count(view, messages > 0 ? messages - 1 : 0);
}

void
deferred_remove(struct statefile_view *view, const char *id, const char *route)
{
	g_autofree char *key = message_key(route, id);

	if (statefile_get(view, key, sizeof(gint64)) != NULL)
		drop(view, key);
}

gboolean
deferred_waits_for(struct statefile_view *view, const char *name, guint16 port)
{
	g_autofree char *prefix = host_prefix(name, port);
	gint64 time;
	g_autofree char *key = find(view, prefix, prefix, &time);

	return key != NULL;
}

/* FALSE: the route has no messages, of any age. */
static gboolean
take_of_route(struct statefile_view *view, const char *route, guint max,
    GPtrArray *ids, gboolean *ret_young)
{
	g_autofree char *prefix = message_key(route, "");
	g_autofree char *from = g_strdup(prefix);
	gint64 before = g_get_real_time() - DEFERRED_AGE_MIN;
	gboolean any = FALSE;
	gint64 time;

	while (ids->len < max) {
		g_autofree char *key = find(view, prefix, from, &time);

		if (key == NULL)
			return any;
		any = TRUE;
		g_free(from);
		from = statefile_after(key);
		/* What is ahead is of a clock that has been set. */
		if (time > before && time <= before + DEFERRED_AGE_MIN) {
			*ret_young = TRUE;
			continue;
		}
		g_ptr_array_add(ids, g_strdup(key + strlen(prefix)));
		drop(view, key);
	}
	return TRUE;
}

static void
count_taken(struct statefile_view *view, guint count)
{
	guint64 taken = load_number(view, TAKEN_KEY) + count;

	if (count > 0)
		statefile_put(view, TAKEN_KEY, &taken, sizeof(taken));
}

gboolean
deferred_take(struct statefile_view *view, const char *name, guint16 port,
    guint max, GPtrArray *ids)
{
	g_autofree char *prefix = host_prefix(name, port);
	g_autofree char *from = g_strdup(prefix);
	guint before = ids->len;
	gboolean young = FALSE;
	gint64 time;

	while (ids->len < max) {
		g_autofree char *note = find(view, prefix, from, &time);

		if (note == NULL)
			break;
		if (!take_of_route(view, note + strlen(prefix), max, ids,
			&young))
			statefile_delete(view, note);
		g_free(from);
		from = statefile_after(note);
	}
	count_taken(view, ids->len - before);
	return young;
}

/* The route of a message's key, a new string; NULL: it is none. */
static char *
route_of(const char *key)
{
	const char *route = key + strlen(MESSAGE_PREFIX);
	const char *end = strchr(route, ' ');

	return end != NULL ? g_strndup(route, (gsize)(end - route)) : NULL;
}

void
deferred_each(struct statefile_view *view,
    void (*visit)(const char *route, gint64 time, void *data), void *data)
{
	g_autofree char *from = g_strdup(MESSAGE_PREFIX);
	gint64 time;

	for (;;) {
		g_autofree char *key = find(view, MESSAGE_PREFIX, from, &time);
		g_autofree char *route = NULL;

		if (key == NULL)
			return;
		route = route_of(key);
		if (route != NULL)
			visit(route, time, data);
		g_free(from);
		from = statefile_after(key);
	}
}

guint64
deferred_taken(struct statefile_view *view)
{
	return load_number(view, TAKEN_KEY);
}
