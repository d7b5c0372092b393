/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every code that a reply may have, at every stage.
 */
#include <config.h>

#include <glib.h>

#include "smtp/outcome.h"
#include "unit/replytext.h"

/* Codes of a reply. */
#define CODE_MIN 200
#define CODE_MAX 599

/* Every code with which the dialogue goes on. */
static const struct success {
	enum stage stage;
	int first; /* 0: none */
	int last;
} successes[] = {
    {STAGE_RESOLVE, 0, 0},
    {STAGE_CONNECT, 0, 0},
    {STAGE_GREETING, 220, 220},
    {STAGE_EHLO, 250, 250},
    {STAGE_HELO, 250, 250},
    {STAGE_MAIL, 250, 259},
    {STAGE_RCPT, 250, 259},
    {STAGE_DATA, 354, 354},
    {STAGE_CONTENT, 0, 0},
    {STAGE_FINAL, 200, 299},
};

static struct reply *
parse_code(int code, const char *dsn)
{
	g_autofree char *line = g_strdup_printf("%d %s", code, dsn);

	return replytext_parse(line);
}

static void
test_successes(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(successes); i++) {
		const struct success *row = &successes[i];

		for (int code = CODE_MIN; code <= CODE_MAX; code++) {
			g_autoptr(Reply) reply = parse_code(code, "");

			g_assert_cmpint(outcome_is_success(row->stage, reply),
			    ==, code >= row->first && code <= row->last);
		}
	}
}

static void
test_helo(void)
{
	for (int code = CODE_MIN; code <= CODE_MAX; code++) {
		g_autoptr(Reply) reply = parse_code(code, "");

		g_assert_cmpint(outcome_asks_for_helo(reply), ==,
		    code == 500 || code == 501 || code == 502 || code == 504);
	}
}

/* What no reply may ever bring about, at any stage. */
static void
assert_harmless(enum stage stage, const struct reply *reply, guint recipients)
{
	static const char classes[] = {
	    [OUTCOME_NEXT] = '4',
	    [OUTCOME_UNSURE] = '4',
	    [OUTCOME_BOUNCE] = '5',
	    [OUTCOME_HELD] = '4',
	    [OUTCOME_DELIVERED] = '2',
	};
	struct outcome outcome = {0};
	char dsn[DSN_SIZE];

	outcome_from_reply(&outcome, stage, reply, recipients);
	g_assert_cmpint(outcome.kind, !=, OUTCOME_HELD);
	g_assert_cmpint(outcome.kind == OUTCOME_DELIVERED, ==,
	    stage == STAGE_FINAL && reply->code / 100 == 2);
	g_assert_cmpint(outcome.kind == OUTCOME_UNSURE, ==,
	    stage == STAGE_FINAL && reply->code < 400 &&
		reply->code / 100 != 2);
	if (outcome.kind == OUTCOME_BOUNCE) {
		g_assert_cmpint(reply->code, >=, 500);
		g_assert_cmpint(stage, >=, STAGE_MAIL);
		g_assert_cmpint(outcome.trouble, !=, TROUBLE_HOST);
	}
	if (reply->code == 421)
		g_assert_cmpint(outcome.trouble, ==,
		    stage_is_opening(stage) ||
			    g_str_has_prefix(reply->dsn, "4.3.")
			? TROUBLE_HOST
			: TROUBLE_SUSPECT);
	g_assert_true(dsn_parse(outcome.dsn, classes[outcome.kind], dsn));
	g_assert_nonnull(outcome.text);
	outcome_clear(&outcome);
}

static void
test_every_code(void)
{
	static const char *const codes[] = {"", "2.1.5 a", "4.3.1 a",
	    "5.123.456 a"};

	for (int code = CODE_MIN; code <= CODE_MAX; code++) {
		for (gsize i = 0; i < G_N_ELEMENTS(codes); i++) {
			g_autoptr(Reply) reply = parse_code(code, codes[i]);

			for (int stage = STAGE_GREETING; stage <= STAGE_FINAL;
			     stage++) {
				assert_harmless((enum stage)stage, reply, 1);
				assert_harmless((enum stage)stage, reply, 2);
			}
		}
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/the codes that let the dialogue go on",
	    test_successes);
	g_test_add_func("/the codes that ask for HELO", test_helo);
	g_test_add_func("/no code does harm at any stage", test_every_code);
	return g_test_run();
}
