/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "tlspolicy.h"

static const char *
set_text(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

static gboolean
is_address(const char *name)
{
	struct endpoint endpoint;

	return endpoint_parse(name, 0, &endpoint);
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
	if (is_address(policy->sni))
		policy->sni = NULL;
	if (settings->auth != NULL && settings->auth_in_clear != ANSWER_YES &&
	    policy->level == TLS_MAY) {
		policy->level = TLS_ENCRYPT;
		policy->for_auth = TRUE;
	}
}

gboolean
tls_policy_is_required(const struct tls_policy *policy)
{
	return policy->level >= TLS_ENCRYPT;
}
