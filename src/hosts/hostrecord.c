/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "address/domain.h"
#include "address/endpoint.h"
#include "hosts/hostrecord.h"
#include "hosts/statefile.h"

/* Of the moving average: the newest value counts for one in so many. */
#define LATENCY_SHARE 8

char *
hostrecord_key(const char *name, guint16 port)
{
	/* An address has colons of its own, but the last one is the port's. */
	return statefile_host_key(HOSTRECORD_PREFIX, name, port);
}

/* As routes have it: anything else is of no host, whoever wrote it. */
static gboolean
is_canonical(const char *name)
{
	g_autofree char *address = endpoint_canonical(name);
	g_autofree char *domain =
	    address == NULL ? domain_canonical(name, NULL) : NULL;

	return g_strcmp0(address != NULL ? address : domain, name) == 0;
}

gboolean
hostrecord_parse_key(const char *key, char **ret_name, guint16 *ret_port)
{
	const char *name = key + strlen(HOSTRECORD_PREFIX);
	const char *colon = strrchr(key, ':');
	g_autofree char *found = NULL;
	guint64 port;

	if (!g_str_has_prefix(key, HOSTRECORD_PREFIX) || colon == NULL ||
	    colon <= name ||
	    !g_ascii_string_to_unsigned(colon + 1, 10, 1, G_MAXUINT16, &port,
		NULL))
		return FALSE;
	found = g_strndup(name, (gsize)(colon - name));
	if (!is_canonical(found))
		return FALSE;
	*ret_name = g_steal_pointer(&found);
	*ret_port = (guint16)port;
	return TRUE;
}

/* So that differences of times do not overflow. */
static void
repair_time(gint64 *time)
{
	*time = MAX(*time, 0);
}

void
hostrecord_load(struct hostrecord *record, const void *value)
{
	memset(record, 0, sizeof(*record));
	if (value == NULL)
		return;
	memcpy(record, value, sizeof(*record));
	/* The file may be damaged. */
	repair_time(&record->seen);
	repair_time(&record->health.due);
	repair_time(&record->health.interval);
	repair_time(&record->health.since);
	repair_time(&record->health.lease);
	repair_time(&record->health.up);
	repair_time(&record->capacity.until);
	repair_time(&record->outage);
	repair_time(&record->last_success);
	repair_time(&record->last_failure);
	repair_time(&record->tls_hung);
	repair_time(&record->hourly.head);
	record->drained = record->drained != FALSE;
	record->stranger = record->stranger != FALSE;
	record->last_error[sizeof(record->last_error) - 1] = '\0';
	for (guint i = 0; i < HOSTRECORD_ADDRESSES; i++) {
		repair_time(&record->bad[i].until);
		record->bad[i].text[sizeof(record->bad[i].text) - 1] = '\0';
	}
}

gboolean
hostrecord_is_bad(const struct bad_address bad[HOSTRECORD_ADDRESSES],
    const struct endpoint *endpoint, gint64 now, gint64 max)
{
	char text[ENDPOINT_TEXT_SIZE];

	for (guint i = 0; i < HOSTRECORD_ADDRESSES; i++) {
		if (bad[i].until <= now || bad[i].until > now + max)
			continue;
		endpoint_text(endpoint, text);
		if (strncmp(bad[i].text, text, sizeof(bad[i].text)) == 0)
			return TRUE;
	}
	return FALSE;
}

/* A restart sets the clock back: what is too far ahead is over. */
gboolean
hostrecord_tls_hangs(gint64 until, gint64 now, gint64 max)
{
	return until > now && until <= now + max;
}

void
latency_add(struct latency *latency, gint64 span)
{
	guint64 value = (guint64)MAX(span, 0);

	latency->count++;
	latency->sum += value;
	if (latency->count == 1)
		latency->recent = value;
	else
		latency->recent =
		    (latency->recent * (LATENCY_SHARE - 1) + value) /
		    LATENCY_SHARE;
}
