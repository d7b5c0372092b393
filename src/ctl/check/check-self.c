/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The services of master.cf(5) that speak SMTP, and the addresses that they
 * listen at: their own, else those of inet_interfaces.
 */

#include <config.h>

#include <netdb.h>
#include <string.h>

#include "agent/self.h"
#include "ctl/check/check-self.h"
#include "ctl/postconf.h"

struct listener {
	char *place;
	char *host; /* NULL: inet_interfaces */
	guint16 port;
};

struct ownsmtp {
	GPtrArray *listeners;
	char **interfaces;
	struct self *self;
};

static void
listener_free(gpointer data)
{
	struct listener *listener = data;

	g_free(listener->place);
	g_free(listener->host);
	g_free(listener);
}

/* 0: it is none. */
static guint16
port_number(const char *text)
{
	guint64 number;
	const struct servent *known;

	if (g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT16, &number, NULL))
		return (guint16)number;
	/* A small system may be without services(5). */
	if (strcmp(text, "smtp") == 0)
		return ENDPOINT_PORT_SMTP;
	known = getservbyname(text, "tcp");
	return known == NULL ? 0 : ntohs((guint16)known->s_port);
}

/* "port", ":port", "host:port" or "[address]:port" */
static void
add_listener(struct ownsmtp *own, const struct service *service)
{
	const char *colon = strrchr(service->name, ':');
	const char *port = colon == NULL ? service->name : colon + 1;
	struct listener *listener;

	if (port_number(port) == 0)
		return;
	listener = g_new(struct listener, 1);
	*listener = (struct listener){
	    .place = service_place(service),
	    .host = colon == NULL || colon == service->name
		? NULL
		: g_strndup(service->name, (gsize)(colon - service->name)),
	    .port = port_number(port),
	};
	g_ptr_array_add(own->listeners, listener);
}

static gboolean
speaks_smtp(const struct service *service)
{
	return strcmp(service->type, "inet") == 0 &&
	    (strcmp(service->daemon, "smtpd") == 0 ||
		strcmp(service->daemon, "postscreen") == 0);
}

struct ownsmtp *
ownsmtp_new(const struct check *check)
{
	struct ownsmtp *own = g_new0(struct ownsmtp, 1);
	g_autofree char *interfaces = NULL;

	own->self = self_new(check->settings);
	own->listeners = g_ptr_array_new_with_free_func(listener_free);
	for (guint i = 0; check->services != NULL && i < check->services->len;
	     i++) {
		const struct service *service = check->services->pdata[i];

		if (speaks_smtp(service))
			add_listener(own, service);
	}
	/* If that fails: "all" is Postfix's default. */
	if (own->listeners->len > 0)
		interfaces =
		    postconf_value(NULL, "inet_interfaces", TRUE, NULL);
	own->interfaces =
	    g_strsplit_set(interfaces == NULL ? "all" : interfaces, ", \t", -1);
	return own;
}

gboolean
ownsmtp_has_port(const struct ownsmtp *own, guint16 port)
{
	for (guint i = 0; i < own->listeners->len; i++) {
		const struct listener *listener = own->listeners->pdata[i];

		if (listener->port == port)
			return TRUE;
	}
	return FALSE;
}

static gboolean
is_loopback(const struct endpoint *endpoint)
{
	char text[ENDPOINT_TEXT_SIZE];

	endpoint_text(endpoint, text);
	return g_str_has_prefix(text, "127.") || strcmp(text, "::1") == 0;
}

/* "[::1]" is an address, too. */
static gboolean
parse_address(const char *text, guint16 port, struct endpoint *ret)
{
	g_autofree char *inside = NULL;
	gsize length = strlen(text);

	if (length > 2 && text[0] == '[' && text[length - 1] == ']')
		inside = g_strndup(text + 1, length - 2);
	return endpoint_parse(inside == NULL ? text : inside, port, ret);
}

/*
 * Does "all", "loopback-only", a name or an address mean this address of ours?
 * A name may: it is not looked up.
 */
static gboolean
is_listened_at(const struct ownsmtp *own, const char *where,
    const struct endpoint *endpoint)
{
	static const char *const any[] = {"0.0.0.0", "::", "[::]", NULL};
	struct endpoint address;

	if (strcmp(where, "loopback-only") == 0 ||
	    strcmp(where, "localhost") == 0)
		return is_loopback(endpoint);
	if (!g_strv_contains(any, where) &&
	    parse_address(where, endpoint_port(endpoint), &address))
		return endpoint_equal(&address, endpoint);
	return where[0] != '\0' && self_has_address(own->self, endpoint);
}

static gboolean
listens(const struct ownsmtp *own, const struct listener *listener,
    const struct endpoint *endpoint)
{
	if (listener->port != endpoint_port(endpoint))
		return FALSE;
	if (listener->host != NULL)
		return is_listened_at(own, listener->host, endpoint);
	for (gsize i = 0; own->interfaces[i] != NULL; i++) {
		if (is_listened_at(own, own->interfaces[i], endpoint))
			return TRUE;
	}
	return FALSE;
}

const char *
ownsmtp_find(const struct ownsmtp *own, const struct endpoint *endpoint)
{
	for (guint i = 0; i < own->listeners->len; i++) {
		const struct listener *listener = own->listeners->pdata[i];

		if (listens(own, listener, endpoint))
			return listener->place;
	}
	return NULL;
}

void
ownsmtp_free(struct ownsmtp *own)
{
	g_ptr_array_unref(own->listeners);
	g_strfreev(own->interfaces);
	self_free(own->self);
	g_free(own);
}
