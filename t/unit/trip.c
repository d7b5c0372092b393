/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include "hosts/hosttable.h"
#include "unit/trip.h"

#define S     ((gint64)G_USEC_PER_SEC)
#define LEASE (60 * S)

const struct health_limits trip_limits = {3600 * S, 36000 * S};

guint
trip_route(const char *text, struct contender *contenders)
{
	static const char *const names[TRIP_HOSTS] = {"a.example.com",
	    "b.example.com", "c.example.com", "192.0.2.4"};
	g_auto(GStrv) words = g_strsplit(text, " ", 0);
	guint count = 0;

	for (; words[count] != NULL; count++) {
		const char *option = words[count] + 1;
		struct contender contender = {
		    .name = names[words[count][0] - 'A'],
		    .port = 25,
		    .weight = 1,
		    .max_connections = G_MAXUINT,
		    .lease = LEASE,
		};

		for (; *option != '\0'; option += 2) {
			guint number = (guint)(option[1] - '0');

			if (*option == '/')
				contender.priority = (guint16)number;
			else if (*option == '*')
				contender.weight = number;
			else if (*option == '=')
				contender.max_connections = number;
			else
				g_assert_not_reached();
		}
		contenders[count] = contender;
	}
	return count;
}

static char
letter_of(const struct contender *contender)
{
	return g_str_equal(contender->name, "192.0.2.4")
	    ? 'D'
	    : (char)g_ascii_toupper(contender->name[0]);
}

char
trip_choose(struct hoststate *state, struct contender *contenders, guint count)
{
	guint chosen = hoststate_choose(state, contenders, count);

	if (chosen == count)
		return '-';
	g_assert_cmpint(contenders[chosen].standing, ==, STANDING_TRIED);
	return letter_of(&contenders[chosen]);
}

struct departure
trip_leave(struct hoststate *state, char how)
{
	struct outcome outcome = {
	    .kind = how == '+' ? OUTCOME_DELIVERED : OUTCOME_NEXT,
	    .trouble = how == '+' ? TROUBLE_NONE
		: how == '-'      ? TROUBLE_HOST
				  : TROUBLE_MESSAGE,
	    .stage = how == '+' ? STAGE_FINAL : STAGE_CONNECT,
	    .code = how == '+' ? 250 : 0,
	    .text = (char *)(guintptr) "connect: refused",
	};
	struct visit visit = {.address = "192.0.2.1",
	    .outcomes = &outcome,
	    .count = 1,
	    .connect = how == '+' ? 100 : -1,
	    .total = 1000};
	struct departure departure;

	if (how != '.')
		hoststate_note(state, &visit);
	hoststate_leave(state, &departure);
	return departure;
}

struct hoststate *
trip_new(const struct statefolder *place)
{
	return hoststate_new(place->folder, &trip_limits);
}

void
trip_assert_no_warning(struct hoststate *state)
{
	g_autofree char *warning = hoststate_take_warning(state);

	g_assert_cmpstr(warning, ==, NULL);
}

char *
trip_deliver(const struct statefolder *place, const char *route,
    const char *how)
{
	g_autoptr(Hoststate) state = trip_new(place);
	struct contender contenders[TRIP_HOSTS];
	guint count = trip_route(route, contenders);
	GString *hosts = g_string_new(NULL);

	for (gsize i = 0; how[i] != '\0'; i++) {
		char host = trip_choose(state, contenders, count);

		if (host == '-')
			break;
		g_string_append_c(hosts, host);
		trip_leave(state, how[i]);
	}
	trip_assert_no_warning(state);
	return g_string_free(hosts, FALSE);
}

void
trip_order(const struct statefolder *place, const char *order, char letter)
{
	struct contender contender;
	const char route[] = {letter, '\0'};
	gboolean changed = FALSE;
	g_autoptr(GError) error = NULL;

	trip_route(route, &contender);
	hosttable_order(place->folder, contender.name, contender.port,
	    g_str_equal(order, "drain")        ? HOSTTABLE_DRAIN
		: g_str_equal(order, "resume") ? HOSTTABLE_RESUME
					       : HOSTTABLE_RETRY,
	    &changed, &error);
	g_assert_no_error(error);
	g_assert_true(changed);
}

static void
due_work(struct statefile_view *view, void *data)
{
	const char *key = data;
	struct hostrecord record;

	hostrecord_load(&record, statefile_get(view, key, sizeof(record)));
	g_assert_false(health_is_up(&record.health));
	record.health.due = 1;
	statefile_put(view, key, &record, sizeof(record));
}

void
trip_make_due(const struct statefolder *place, char letter)
{
	g_autoptr(Statefile) file = statefile_new(place->folder);
	g_autoptr(GError) error = NULL;
	g_autofree char *key = NULL;
	struct contender contender;
	const char route[] = {letter, '\0'};

	trip_route(route, &contender);
	key = hostrecord_key(contender.name, contender.port);
	statefile_run(file, STATEFILE_WRITE, due_work, key, &error);
	g_assert_no_error(error);
}

guint
trip_connected(const struct statefolder *place)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) rows =
	    hosttable_read(place->folder, &trip_limits, &error);
	const struct hosttable_row *row;

	g_assert_no_error(error);
	g_assert_cmpuint(rows->len, >=, 1);
	row = g_ptr_array_index(rows, 0);
	g_assert_cmpstr(row->name, ==, "a.example.com");
	return row->connected;
}

char *
trip_hosts(const struct statefolder *place, gboolean drained)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) rows =
	    hosttable_read(place->folder, &trip_limits, &error);
	GString *text = g_string_new(NULL);

	g_assert_no_error(error);
	for (guint i = 0; i < rows->len; i++) {
		const struct hosttable_row *row = g_ptr_array_index(rows, i);

		if (!drained || row->record.drained)
			g_string_append_printf(text, "%s%.*s",
			    text->len > 0 ? " " : "",
			    (int)strcspn(row->name, "."), row->name);
	}
	return g_string_free(text, FALSE);
}
