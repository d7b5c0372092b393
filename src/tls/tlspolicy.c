/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "tls/tlspolicy.h"

static const char *
set_text(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

void
tls_policy_set(struct tls_policy *policy, const struct candidate *candidate)
{
	const struct host_settings *settings = &candidate->settings;
	const struct destination *destination = candidate->destination;
	const char *name = settings->tls_name;

	*policy = (struct tls_policy){
	    .level = settings->tls,
	    .expected = name != NULL ? name : destination->name,
	    .ca_file = set_text(settings->tls_ca_file),
	    .ciphers = set_text(settings->tls_ciphers),
	    .min_protocol = settings->tls_min_protocol,
	};
	if (name == NULL && strcmp(candidate->host, destination->name) != 0)
		policy->also = candidate->host;
	policy->sni = name != NULL ? name : candidate->host;
	/* RFC 6066 section 3. */
	if (endpoint_is_address(policy->sni))
		policy->sni = NULL;
	if (settings->auth != NULL && settings->auth_in_clear != ANSWER_YES &&
	    policy->level == TLS_MAY) {
		policy->level = TLS_ENCRYPT;
		policy->for_auth = TRUE;
	}
}

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
