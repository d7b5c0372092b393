/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "agent/outlook.h"
#include "lmtp/inquiry.h"
#include "lmtp/parcel.h"
#include "route/routemap.h"

/* For DNS, in one transaction.  Slow servers are for the delivery to wait for.
 */
#define DNS_SPAN (5 * G_USEC_PER_SEC)

/* Postfix's verify(8) asks for one at a time. */
#define INQUIRIES_MAX 10

/* A route, and what is to be expected of it for all who have it. */
struct way {
	struct route *route;
	gboolean looked;        /* is the next one known? */
	struct verdict outlook; /* without text: good */
};

/* Takes @route. */
static struct way *
way_new(struct route *route)
{
	struct way *way = g_new0(struct way, 1);

	way->route = route;
	return way;
}

static void
way_free(struct way *way)
{
	route_free(way->route);
	verdict_clear(&way->outlook);
	g_free(way);
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
		verdict_refuse_address(verdict, "sender", error);
		return NULL;
	}
	parcel = g_new0(struct parcel, 1);
	parcel->sender = sender;
	parcel->sender->dsn = g_strdup(mail->dsn);
	parcel->smtputf8 = mail->smtputf8;
	parcel->recipients =
	    g_ptr_array_new_with_free_func((GDestroyNotify)mailbox_free);
	parcel->routes = g_ptr_array_new();
	parcel->ways = g_ptr_array_new_with_free_func((GDestroyNotify)way_free);
	parcel->known =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	parcel->dns_span = DNS_SPAN;
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
	g_ptr_array_unref(parcel->ways);
	g_free(parcel);
}

/* That of the route that @route is the same as, by its key; NULL: none yet. */
static struct way *
find_same(const struct parcel *parcel, const struct route *route)
{
	for (guint i = 0; i < parcel->ways->len; i++) {
		struct way *way = g_ptr_array_index(parcel->ways, i);
		const struct route *other = way->route;

		/* USEDNS means another host for each domain. */
		if (route->kind != ROUTE_DNS && other->line == route->line &&
		    g_strcmp0(other->key, route->key) == 0)
			return way;
	}
	return NULL;
}

/* NULL: *verdict says why. */
static struct way *
find_way(struct parcel *parcel, struct station *station, const char *domain,
    struct verdict *verdict)
{
	struct way *known = g_hash_table_lookup(parcel->known, domain);
	g_autoptr(Route) route = NULL;
	g_autoptr(GError) error = NULL;

	if (known != NULL)
		return known;
	route = routemap_find_in(station->map, station->settings->routes, NULL,
	    domain, &error);
	if (route == NULL) {
		verdict_set(verdict, VERDICT_DEFER, "4.3.5", "%s",
		    error->message);
		return NULL;
	}
	known = find_same(parcel, route);
	if (known == NULL) {
		known = way_new(g_steal_pointer(&route));
		g_ptr_array_add(parcel->ways, known);
	}
	g_hash_table_insert(parcel->known, g_strdup(domain), known);
	return known;
}

/* Looked at once for all recipients of a route. */
static gboolean
may_begin(struct parcel *parcel, struct station *station, struct way *way,
    const char *domain, struct verdict *verdict)
{
	const struct verdict *outlook = &way->outlook;

	if (!way->looked)
		outlook_is_good(station, way->route, domain, &parcel->dns_span,
		    &way->outlook);
	way->looked = TRUE;
	if (outlook->text != NULL)
		verdict_set(verdict, outlook->kind, outlook->dsn, "%s",
		    outlook->text);
	return outlook->text == NULL;
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
parcel_add(struct parcel *parcel, struct station *station,
    const struct lmtp_request *rcpt, struct verdict *verdict)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Mailbox) mailbox = NULL;
	struct way *way;

	if (parcel->recipients->len == PARCEL_RECIPIENTS_MAX ||
	    parcel->ways->len == PARCEL_RECIPIENTS_MAX) {
		verdict_set(verdict, VERDICT_DEFER, "4.5.3",
		    "too many recipients");
		return FALSE;
	}
	mailbox = parcel->smtputf8 ? mailbox_parse_utf8(rcpt->path, &error)
				   : mailbox_parse(rcpt->path, &error);
	if (mailbox == NULL) {
		verdict_refuse_address(verdict, "recipient", error);
		return FALSE;
	}
	way = find_way(parcel, station, mailbox->domain, verdict);
	if (way == NULL ||
	    !may_begin(parcel, station, way, mailbox->domain, verdict))
		return FALSE;
	take_dsn(mailbox, rcpt, parcel->smtputf8);
	g_ptr_array_add(parcel->routes, way->route);
	g_ptr_array_add(parcel->recipients, g_steal_pointer(&mailbox));
	return TRUE;
}

gboolean
parcel_inquire(struct parcel *parcel, struct station *station,
    struct verdict *verdict)
{
	guint last = parcel->recipients->len - 1;
	const struct route *route = g_ptr_array_index(parcel->routes, last);

	if (!inquiry_is_wanted(route) || parcel->inquiries == INQUIRIES_MAX)
		return FALSE;
	parcel->inquiries++;
	inquiry_make(station, route, parcel->sender,
	    g_ptr_array_index(parcel->recipients, last), parcel->smtputf8,
	    verdict);
	if (verdict->kind != VERDICT_DELIVERED) {
		g_ptr_array_set_size(parcel->recipients, (gint)last);
		g_ptr_array_set_size(parcel->routes, (gint)last);
	}
	return TRUE;
}
