/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <glib.h>

#include "tls/tlspolicy.h"

/* What a policy of each level has to be, whatever else is set. */
static const struct {
	enum tls_level level;
	gboolean enforces_chain;
	gboolean is_required;
	gboolean wants_wrapper; /* at port 465 */
} levels[] = {
    {TLS_NONE, FALSE, FALSE, TRUE},
    {TLS_MAY, FALSE, FALSE, TRUE},
    {TLS_ENCRYPT, FALSE, TRUE, TRUE},
    {TLS_SECURE, TRUE, TRUE, TRUE},
    {TLS_DANE, FALSE, TRUE, TRUE},
    {TLS_WRAPPER, TRUE, TRUE, FALSE},
};

static void
test_levels(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(levels); i++) {
		struct tls_policy policy = {
		    .level = levels[i].level,
		    .port = 465,
		};

		g_assert_cmpint(tls_policy_enforces_chain(&policy), ==,
		    levels[i].enforces_chain);
		g_assert_cmpint(tls_policy_verifies_chain(&policy), ==,
		    levels[i].enforces_chain);
		g_assert_cmpint(tls_policy_is_required(&policy), ==,
		    levels[i].is_required);
		g_assert_cmpint(tls_policy_wants_wrapper(&policy), ==,
		    levels[i].wants_wrapper);
		policy.port = 587;
		g_assert_false(tls_policy_wants_wrapper(&policy));
		policy.examine = TRUE;
		g_assert_true(tls_policy_verifies_chain(&policy));
	}
}

/* Replies to STARTTLS other than 220. */
static const struct {
	enum tls_level level;
	int code;
	gboolean forgives;
} refusals[] = {
    {TLS_MAY, 400, TRUE},
    {TLS_MAY, 420, TRUE},
    {TLS_MAY, 421, FALSE}, /* it closes the connection */
    {TLS_MAY, 422, TRUE},
    {TLS_MAY, 454, TRUE},
    {TLS_MAY, 502, TRUE},
    {TLS_MAY, 399, FALSE},
    {TLS_MAY, 250, FALSE}, /* of another command */
    {TLS_ENCRYPT, 454, FALSE},
    {TLS_SECURE, 502, FALSE},
    {TLS_DANE, 454, FALSE},
};

static void
test_refusals(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(refusals); i++) {
		const struct tls_policy policy = {.level = refusals[i].level};

		g_test_message("%s %d", tls_level_name(policy.level),
		    refusals[i].code);
		g_assert_cmpint(tls_policy_forgives(&policy, refusals[i].code),
		    ==, refusals[i].forgives);
	}
}

static void
test_not_offered(void)
{
	struct tls_policy policy = {.level = TLS_DANE};
	g_autofree char *required = tls_policy_not_offered(&policy);
	g_autofree char *for_auth = NULL;

	policy.for_auth = TRUE;
	for_auth = tls_policy_not_offered(&policy);
	g_assert_cmpstr(required, ==, "not offered, but required (tls=dane)");
	g_assert_cmpstr(for_auth, ==,
	    "not offered, but AUTH needs it (auth-in-clear = no)");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tlspolicy/levels", test_levels);
	g_test_add_func("/tlspolicy/refusals", test_refusals);
	g_test_add_func("/tlspolicy/not-offered", test_not_offered);
	return g_test_run();
}
