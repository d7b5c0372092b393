/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "agent/security.h"
#include "util/deadline.h"

static const char *
set_text(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

void
security_set_policy(struct tls_policy *policy,
    const struct candidate *candidate)
{
	const struct host_settings *settings = &candidate->settings;
	const struct destination *destination = candidate->destination;
	const char *name = settings->tls_name;

	*policy = (struct tls_policy){
	    .level = settings->tls,
	    .port = endpoint_port(&candidate->endpoint),
	    .expected = name != NULL ? name : destination->name,
	    .ca_file = set_text(settings->tls_ca_file),
	    .cert_file = set_text(settings->tls_cert_file),
	    .key_file = set_text(settings->tls_key_file),
	    .ciphers = set_text(settings->tls_ciphers),
	    .min_protocol = settings->tls_min_protocol,
	};
	if (policy->key_file == NULL)
		policy->key_file = policy->cert_file;
	if (settings->tls == TLS_DANE && name == NULL &&
	    strcmp(candidate->host, destination->name) != 0)
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

static gboolean
refuse(struct outcome *outcome, enum trouble trouble, enum stage stage,
    const char *dsn, const char *prefix, const char *why)
{
	g_autofree char *what = g_strdup_printf("%s: %s", prefix, why);

	outcome_set(outcome, OUTCOME_NEXT, trouble, stage, dsn, what);
	return FALSE;
}

static gboolean
load_credentials(struct security *security, const struct settings *settings,
    const struct candidate *candidate, struct outcome *outcome)
{
	const struct host_settings *host = &candidate->settings;
	g_autoptr(GError) error = NULL;

	if (host->auth == NULL)
		return TRUE;
	if (host->tls == TLS_NONE && host->auth_in_clear != ANSWER_YES)
		return refuse(outcome, TROUBLE_MESSAGE, STAGE_AUTH, "4.7.8",
		    "AUTH", "not in clear text (tls=none, auth-in-clear = no)");
	security->credentials = credentials_load(settings, host->auth, &error);
	if (security->credentials == NULL)
		return refuse(outcome, TROUBLE_MESSAGE, STAGE_AUTH, "4.3.5",
		    "AUTH", error->message);
	return TRUE;
}

/* Records are a name's; an address has none (RFC 7672 section 2.2). */
static gboolean
load_tlsa(struct security *security, const struct settings *settings,
    const struct candidate *candidate, struct resolver *resolver,
    gint64 deadline, struct outcome *outcome)
{
	g_autoptr(GError) error = NULL;

	if (security->tls.level != TLS_DANE ||
	    endpoint_is_address(candidate->host))
		return TRUE;
	security->tlsa = tlsa_resolve(resolver, candidate->host,
	    endpoint_port(&candidate->endpoint),
	    settings->dns_trust_ad == ANSWER_YES,
	    MIN(deadline_in(candidate->settings.timeouts.connect), deadline),
	    &error);
	if (security->tlsa == NULL)
		return refuse(outcome, TROUBLE_HOST, STAGE_TLS, "4.7.5", "TLSA",
		    error->message);
	security->tls.tlsa = security->tlsa;
	return TRUE;
}

gboolean
security_prepare(struct security *security, const struct settings *settings,
    const struct candidate *candidate, struct resolver *resolver,
    gint64 deadline, struct outcome *outcome)
{
	security_set_policy(&security->tls, candidate);
	security->tls.secret_modes = settings->secret_modes;
	return load_credentials(security, settings, candidate, outcome) &&
	    load_tlsa(security, settings, candidate, resolver, deadline,
		outcome);
}

void
security_clear(struct security *security)
{
	g_clear_pointer(&security->tlsa, tlsa_set_free);
	g_clear_pointer(&security->credentials, credentials_free);
}
