/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "tls/tlspolicy.h"

#define SUBMISSIONS_PORT 465

gboolean
tls_policy_enforces_chain(const struct tls_policy *policy)
{
	return policy->level == TLS_SECURE || policy->level == TLS_WRAPPER;
}

gboolean
tls_policy_verifies_chain(const struct tls_policy *policy)
{
	return tls_policy_enforces_chain(policy) || policy->examine;
}

gboolean
tls_policy_is_required(const struct tls_policy *policy)
{
	return policy->level >= TLS_ENCRYPT;
}

gboolean
tls_policy_wants_wrapper(const struct tls_policy *policy)
{
	return policy->port == SUBMISSIONS_PORT && policy->level != TLS_WRAPPER;
}

gboolean
tls_policy_forgives(const struct tls_policy *policy, int code)
{
	/* 421 closes, and what is no refusal is another command's reply. */
	return !tls_policy_is_required(policy) && code >= 400 && code != 421;
}

char *
tls_policy_not_offered(const struct tls_policy *policy)
{
	if (policy->for_auth)
		return g_strdup(
		    "not offered, but AUTH needs it (auth-in-clear = no)");
	return g_strdup_printf("not offered, but required (tls=%s)",
	    tls_level_name(policy->level));
}
