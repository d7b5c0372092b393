/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "agent/passedover.h"
#include "hosts/hoststate.h"
#include "unit/table.h"

#define S        G_USEC_PER_SEC
#define ONE      .name = "mx1.example.com", .port = 25
#define TWO      .name = "mx2.example.com", .port = 2525
#define THREE    .name = "mx3.example.com", .port = 25
#define ADDRESS  .name = "2001:db8::1", .port = 25
#define FREE     .standing = STANDING_FREE
#define TRIED    .standing = STANDING_TRIED
#define DRAINED  .standing = STANDING_DRAINED
#define FULL     .standing = STANDING_FULL
#define PROBED   .standing = STANDING_PROBED, .error = "connect: refused"
#define RATED(t) .standing = STANDING_RATED, .wait = (t)
#define DOWN(t)                                                                \
	.standing = STANDING_DOWN, .wait = (t),                                \
	.error = "connect: timed out after 30 s"

static const struct row {
	const char *says;
	struct contender contenders[4]; /* until there is no name */
	const char *text;
} texts[] = {
    {"who was tried, or had no turn, was not passed over",
	{{ONE, TRIED}, {TWO, FREE}}, ""},
    {"down", {{ONE, DOWN(7 * S)}},
	"; mx1.example.com:25: down, next try in 7 s"},
    {"seconds are rounded up", {{ONE, DOWN(6 * S + 1)}},
	"; mx1.example.com:25: down, next try in 7 s"},
    {"nothing is due in 0 s", {{ONE, DOWN(0)}},
	"; mx1.example.com:25: down, next try in 1 s"},
    {"a port of its own is said", {{TWO, DRAINED}},
	"; mx2.example.com:2525: drained"},
    {"being probed", {{ONE, PROBED}},
	"; mx1.example.com:25: down, being probed"},
    {"full", {{ADDRESS, FULL}}, "; [2001:db8::1]:25: at its max-connections"},
    {"at its rate", {{ONE, RATED(11 * S + 1)}},
	"; mx1.example.com:25: at its rate, free in 12 s"},
    {"never for so many recipients", {{ONE, RATED(-1)}},
	"; mx1.example.com:25: takes fewer recipients at a time "
	"(rate-recipients)"},
    {"each in its place",
	{{ONE, DOWN(2 * S)}, {TWO, TRIED}, {ADDRESS, FULL}, {THREE, DRAINED}},
	"; mx1.example.com:25: down, next try in 2 s; [2001:db8::1]:25: at its "
	"max-connections; mx3.example.com:25: drained"},
    {"who comes twice is said once",
	{{ONE, DOWN(2 * S)}, {TWO, FULL}, {ONE, DOWN(2 * S)}},
	"; mx1.example.com:25: down, next try in 2 s; "
	"mx2.example.com:2525: at its max-connections"},
    {"nobody", {{0}}, ""},
};

/* The whole line, if no host was tried. */
static const struct row verdicts[] = {
    {"one down", {{ONE, DOWN(7 * S)}},
	"4.4.1 all hosts of the route are down: mx1.example.com:25: connect: "
	"timed out after 30 s; next try in 7 s"},
    {"at its rate", {{ONE, RATED(12 * S)}, {TWO, DRAINED}},
	"4.4.5 all hosts of the route are at their rate; mx1.example.com:25: "
	"at its rate, free in 12 s; mx2.example.com:2525: drained"},
    {"at its rate and full", {{ONE, RATED(12 * S)}, {TWO, FULL}},
	"4.4.5 all hosts of the route are full or at their rate; "
	"mx1.example.com:25: at its rate, free in 12 s; mx2.example.com:2525: "
	"at its max-connections"},
    {"at its rate and down", {{ONE, RATED(12 * S)}, {TWO, DOWN(3 * S)}},
	"4.4.1 no host of the route can be had; mx1.example.com:25: "
	"at its rate, free in 12 s; mx2.example.com:2525: down, next try in "
	"3 s"},
    {"the first that is due is said", {{ONE, DOWN(70 * S)}, {TWO, DOWN(3 * S)}},
	"4.4.1 all hosts of the route are down: mx1.example.com:25: connect: "
	"timed out after 30 s; mx2.example.com:2525: connect: timed out after "
	"30 s; next try in 3 s"},
    {"one down, one being probed", {{ONE, DOWN(7 * S)}, {TWO, PROBED}},
	"4.4.1 all hosts of the route are down: mx1.example.com:25: connect: "
	"timed out after 30 s; mx2.example.com:2525: connect: refused; next "
	"try in 7 s"},
    {"all being probed", {{ONE, PROBED}},
	"4.4.1 all hosts of the route are down: mx1.example.com:25: connect: "
	"refused; being probed"},
    {"one drained, the rest down", {{ONE, DRAINED}, {TWO, DOWN(1)}},
	"4.4.1 all hosts of the route are down: mx2.example.com:2525: "
	"connect: timed out after 30 s; next try in 1 s"},
    {"all drained", {{ONE, DRAINED}, {TWO, DRAINED}},
	"4.3.2 all hosts of the route are drained"},
    {"all full", {{ONE, FULL}, {TWO, FULL}},
	"4.4.5 all hosts of the route are at their max-connections"},
    {"one drained, the rest full", {{ONE, DRAINED}, {TWO, FULL}},
	"4.4.5 all hosts of the route are at their max-connections"},
    {"of each kind", {{ONE, DOWN(7 * S)}, {TWO, FULL}, {ADDRESS, DRAINED}},
	"4.4.1 no host of the route can be had; mx1.example.com:25: down, next "
	"try in 7 s; mx2.example.com:2525: at its max-connections; "
	"[2001:db8::1]:25: drained"},
};

static GArray *
make_contenders(const struct row *row)
{
	GArray *contenders =
	    g_array_new(FALSE, FALSE, sizeof(struct contender));

	for (gsize i = 0; i < G_N_ELEMENTS(row->contenders) &&
	     row->contenders[i].name != NULL;
	     i++)
		g_array_append_val(contenders, row->contenders[i]);
	return contenders;
}

static void
test_text(gconstpointer data)
{
	const struct row *row = data;
	g_autoptr(GArray) contenders = make_contenders(row);
	g_autofree char *text = passedover_text(contenders);

	g_assert_cmpstr(text, ==, row->text);
}

static void
test_verdict(gconstpointer data)
{
	const struct row *row = data;
	g_autoptr(GArray) contenders = make_contenders(row);
	struct verdict verdict = {0};
	g_autofree char *line = NULL;

	passedover_verdict(contenders, &verdict);
	line = verdict_line(&verdict);
	g_assert_cmpint(verdict.kind, ==, VERDICT_DEFER);
	g_assert_cmpstr(line, ==, row->text);
	verdict_clear(&verdict);
}

/* A thousand hosts, each with a long name and all that can be said of it. */
static void
test_length(void)
{
	GStringChunk *names = g_string_chunk_new(1000);
	g_autoptr(GArray) contenders =
	    g_array_new(FALSE, TRUE, sizeof(struct contender));
	struct contender contender = {.port = 25,
	    .standing = STANDING_DOWN,
	    .wait = 7 * S};
	struct verdict verdict = {0};
	g_autofree char *text = NULL;
	g_autofree char *line = NULL;

	memset(contender.error, 'e', sizeof(contender.error) - 1);
	for (int i = 0; i < 1000; i++) {
		g_autofree char *name = g_strdup_printf("%0250d", i);

		contender.name = g_string_chunk_insert(names, name);
		g_array_append_val(contenders, contender);
	}
	text = passedover_text(contenders);
	g_assert_cmpuint(strlen(text), <, 3500);
	passedover_verdict(contenders, &verdict);
	line = verdict_line(&verdict);
	g_assert_true(g_str_has_suffix(line, "; next try in 7 s"));
	verdict_clear(&verdict);
	g_string_chunk_free(names);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	TABLE_ADD("passedover/text", texts, test_text);
	TABLE_ADD("passedover/verdict", verdicts, test_verdict);
	g_test_add_func("/passedover/however many there are", test_length);
	return g_test_run();
}
