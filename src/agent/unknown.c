/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "address/endpoint.h"
#include "agent/expansion.h"
#include "agent/unknown.h"
#include "dns/addresses.h"
#include "dns/resolve.h"

const char *
unknown_dsn(const GError *error)
{
	/* RFC 3463 section 3.5. */
	if (g_error_matches(error, EXPANSION_ERROR, EXPANSION_ERROR_SELF))
		return "5.4.6";
	/* RFC 7505 section 4.2. */
	if (g_error_matches(error, RESOLVE_ERROR, RESOLVE_ERROR_NULL_MX))
		return "5.1.10";
	/* RFC 3463 section 3.2. */
	if (g_error_matches(error, RESOLVE_ERROR, RESOLVE_ERROR_NOT_FOUND))
		return "5.1.2";
	return NULL;
}

/* Without an MX its own addresses count (RFC 5321 section 5.1). */
static gboolean
has_addresses(struct resolver *resolver, const struct settings *settings,
    const char *domain, gint64 deadline, GError **error)
{
	const struct host_settings host =
	    settings_host(settings, domain, ENDPOINT_PORT_SMTP);
	const struct address_question question = {
	    .host = domain,
	    .port = ENDPOINT_PORT_SMTP,
	    .family = host.family,
	    .stranger = TRUE,
	};
	g_autoptr(GArray) addresses =
	    addresses_resolve(resolver, &question, deadline, error);

	return addresses != NULL;
}

gboolean
unknown_ask(struct resolver *resolver, const struct settings *settings,
    const char *domain, gint64 deadline, GError **error)
{
	g_autoptr(GError) reason = NULL;
	g_autoptr(GPtrArray) exchangers = NULL;

	/* An address literal is no question. */
	if (domain[0] == '[')
		return FALSE;
	exchangers = resolve_mx(resolver, domain, deadline, &reason);
	if (exchangers != NULL)
		return FALSE;
	if (g_error_matches(reason, RESOLVE_ERROR, RESOLVE_ERROR_NOT_FOUND)) {
		g_clear_error(&reason);
		if (has_addresses(resolver, settings, domain, deadline,
			&reason))
			return FALSE;
	}
	if (unknown_dsn(reason) == NULL)
		return FALSE;
	g_propagate_error(error, g_steal_pointer(&reason));
	return TRUE;
}
