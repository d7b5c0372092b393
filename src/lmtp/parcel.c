/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "lmtp/parcel.h"
#include "route/routemap.h"

/* An address that cannot be put on the wire will not improve by waiting. */
static void
refuse_address(const char *which, const GError *error, struct verdict *verdict)
{
	verdict_set(verdict, VERDICT_BOUNCE,
	    g_error_matches(error, MAILBOX_ERROR, MAILBOX_ERROR_UTF8) ? "5.6.7"
								      : "5.1.3",
	    "%s address: %s", which, error->message);
}

struct parcel *
parcel_new(const struct lmtp_request *mail, struct verdict *verdict)
{
	g_autoptr(GError) error = NULL;
	struct mailbox *sender = mail->smtputf8
	    ? mailbox_parse_sender_utf8(mail->path, &error)
	    : mailbox_parse_sender(mail->path, &error);
	struct parcel *parcel;

	if (sender == NULL) {
		refuse_address("sender", error, verdict);
		return NULL;
	}
	parcel = g_new0(struct parcel, 1);
	parcel->sender = sender;
	parcel->sender->dsn = g_strdup(mail->dsn);
	parcel->smtputf8 = mail->smtputf8;
	parcel->recipients =
	    g_ptr_array_new_with_free_func((GDestroyNotify)mailbox_free);
	parcel->routes = g_ptr_array_new();
	parcel->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	    (GDestroyNotify)route_free);
	return parcel;
}

void
parcel_free(struct parcel *parcel)
{
	if (parcel == NULL)
		return;
	mailbox_free(parcel->sender);
	g_ptr_array_unref(parcel->recipients);
	g_ptr_array_unref(parcel->routes);
	g_hash_table_destroy(parcel->known);
	g_free(parcel);
}

/* The route that @route is the same as, if there is one: by its key. */
static struct route *
find_same(const struct parcel *parcel, const struct route *route)
{
	for (guint i = 0; i < parcel->routes->len; i++) {
		struct route *other = g_ptr_array_index(parcel->routes, i);

		/* USEDNS means another host for each domain. */
		if (route->kind != ROUTE_DNS && other->line == route->line &&
		    g_strcmp0(other->key, route->key) == 0)
			return other;
	}
	return NULL;
}

/* NULL: *verdict says why. */
static struct route *
find_route(struct parcel *parcel, const struct settings *settings,
    const char *domain, struct verdict *verdict)
{
	struct route *route = g_hash_table_lookup(parcel->known, domain);
	g_autoptr(GError) error = NULL;

	if (route != NULL)
		return route;
	route = routemap_find(settings->routes, NULL, domain, &error);
	if (route == NULL) {
		verdict_set(verdict, VERDICT_DEFER, "4.3.5", "%s",
		    error->message);
		return NULL;
	}
	g_hash_table_insert(parcel->known, g_strdup(domain), route);
	return route;
}

/* ORCPT may have what is not ASCII, but not at any host (RFC 6533 section 3).
 */
static void
take_dsn(struct mailbox *mailbox, const struct lmtp_request *rcpt,
    gboolean smtputf8)
{
	if (rcpt->dsn == NULL || (!smtputf8 && !g_str_is_ascii(rcpt->dsn)))
		return;
	mailbox->dsn = g_strdup(rcpt->dsn);
	mailbox->notify_success = rcpt->success;
}

gboolean
parcel_add(struct parcel *parcel, const struct settings *settings,
    const struct lmtp_request *rcpt, struct verdict *verdict)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Mailbox) mailbox = NULL;
	struct route *route;
	struct route *same;

	if (parcel->recipients->len == PARCEL_RECIPIENTS_MAX) {
		verdict_set(verdict, VERDICT_DEFER, "4.5.3",
		    "too many recipients");
		return FALSE;
	}
	mailbox = parcel->smtputf8 ? mailbox_parse_utf8(rcpt->path, &error)
				   : mailbox_parse(rcpt->path, &error);
	if (mailbox == NULL) {
		refuse_address("recipient", error, verdict);
		return FALSE;
	}
	route = find_route(parcel, settings, mailbox->domain, verdict);
	if (route == NULL)
		return FALSE;
	take_dsn(mailbox, rcpt, parcel->smtputf8);
	same = find_same(parcel, route);
	g_ptr_array_add(parcel->routes, same != NULL ? same : route);
	g_ptr_array_add(parcel->recipients, g_steal_pointer(&mailbox));
	return TRUE;
}
