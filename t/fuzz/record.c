/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state's keys and records, whoever wrote them: a key is a host's in one
 * form only, and nobody who works with a record can overflow or overrun.
 */
#include <config.h>

#include "fuzz/fuzz.h"
#include "hosts/hostrecord.h"
#include "hosts/tally.h"

/* As the settings allow. */
static const struct health_limits limits = {30 * G_USEC_PER_SEC,
    G_GINT64_CONSTANT(86400) * G_USEC_PER_SEC};

#define NOW (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)

static void
check_key(const char *text)
{
	g_autofree char *name = NULL;
	g_autofree char *key = NULL;
	guint16 port = 0;

	if (!hostrecord_parse_key(text, &name, &port)) {
		g_assert_null(name);
		return;
	}
	fuzz_assert_line(name);
	g_assert_null(strpbrk(name, " \"'$`\\;&|<>()"));
	g_assert_cmpuint(port, >, 0);
	key = hostrecord_key(name, port);
	g_assert_true(g_str_has_prefix(text, HOSTRECORD_PREFIX));
	g_assert_cmpint(strncmp(text, key, strlen(key) - 5), ==, 0);
}

static void
check_strings(const struct hostrecord *record)
{
	g_assert_nonnull(
	    memchr(record->last_error, '\0', sizeof(record->last_error)));
	for (guint i = 0; i < HOSTRECORD_ADDRESSES; i++)
		g_assert_nonnull(memchr(record->bad[i].text, '\0',
		    sizeof(record->bad[i].text)));
}

static void
check_use(struct hostrecord *record)
{
	struct endpoint endpoint;
	gint64 wait = health_wait(&record->health, &limits, NOW);

	g_assert_cmpint(wait, >=, 0);
	/* With the jitter. */
	g_assert_cmpint(wait, <=, limits.max + limits.max / 5);
	health_was_up(&record->health, NOW);
	capacity_sessions(&record->capacity, NOW, limits.max);
	capacity_refused(&record->capacity, 3, NOW, limits.max);
	capacity_succeeded(&record->capacity, NOW, limits.max);
	g_assert_true(endpoint_parse("192.0.2.1", 25, &endpoint));
	hostrecord_is_bad(record->bad, &endpoint, NOW, limits.max);
	latency_add(&record->connect, NOW);
	hourly_add(&record->hourly, NOW, HOURLY_SENT, 1);
	g_assert_cmpuint(hourly_get(&record->hourly, NOW, 0, HOURLY_SENT), >,
	    0);
	health_fail(&record->health, &limits, NOW, TRUE);
	g_assert_false(health_is_up(&record->health));
	health_retry(&record->health);
	g_assert_true(health_is_up(&record->health));
}

/* A tally of any bytes ends in time, and is written as it was read. */
static void
check_tally(const guint8 *data, gsize size)
{
	/* Bytes behind it are not its own: sanitizers see them read. */
	g_autofree guint8 *copy = g_memdup2(data, size);
	const struct rates rates = {TRUE, 1, {{5, G_USEC_PER_SEC}}};
	const struct tally_rates want = {{&rates, &rates}, 1, TRUE};
	const struct tally_time now = {NOW, NOW};
	g_autoptr(Tally) tally = tally_read(copy, size);
	g_autoptr(GByteArray) record = NULL;
	g_autoptr(Tally) again = NULL;

	tally_advance(tally, &now);
	g_assert_cmpint(tally_wait(tally, &want), <=, 2 * G_USEC_PER_SEC);
	/* What is read again is not so far ahead. */
	if (tally->clock > G_MAXINT64 / 8)
		return;
	tally_reserve(tally, &want, 1, 1);
	tally_begin(tally, &want, 1, 1);
	tally_count(tally, 1, NOW);
	record = tally_write(tally);
	again = tally_read(record->data, record->len);
	g_assert_cmpuint(again->windows->len, ==, tally->windows->len);
	g_assert_cmpuint(again->claims->len, ==, tally->claims->len);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autofree char *text = fuzz_string(data, size);
	struct hostrecord bytes = {0};
	struct hostrecord record;

	check_key(text);
	check_tally(data, size);
	memcpy(&bytes, data, MIN(size, sizeof(bytes)));
	hostrecord_load(&record, &bytes);
	g_assert_cmpint(record.seen, >=, 0);
	check_strings(&record);
	check_use(&record);
	return 0;
}
