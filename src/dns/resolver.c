/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include <ares.h>

#include "address/endpoint.h"
#include "dns/resolver.h"
#include "util/deadline.h"

/*
 * For each server in turn, the second time doubled: with one server that is
 * silent 9 s, with three 27 s, which is still less than connect-timeout.
 */
#define TRY_MILLISECONDS 3000
#define TRIES            2

/* One less than there may be: the macro for the last one shifts into a sign. */
#define SOCKETS_MAX (ARES_GETSOCK_MAXNUM - 1)

G_DEFINE_QUARK(smtproute_resolve_error, resolve_error)

struct resolver {
	char *dns_servers;    /* NULL: the system's */
	gboolean search;      /* complete names with search domains */
	ares_channel channel; /* NULL before the first lookup */
};

struct resolver *
resolver_new(const char *dns_servers)
{
	struct resolver *resolver = g_new0(struct resolver, 1);

	resolver->dns_servers = g_strdup(dns_servers);
	return resolver;
}

struct resolver *
resolver_new_searching(const struct resolver *resolver)
{
	struct resolver *searching = resolver_new(resolver->dns_servers);

	searching->search = TRUE;
	return searching;
}

void
resolver_free(struct resolver *resolver)
{
	if (resolver == NULL)
		return;
	if (resolver->channel != NULL)
		ares_destroy(resolver->channel);
	g_free(resolver->dns_servers);
	g_free(resolver);
}

ares_channel
resolver_open(struct resolver *resolver, GError **error)
{
	char lookups[] = "fb"; /* /etc/hosts, then DNS */
	struct ares_options options = {
	    .timeout = TRY_MILLISECONDS,
	    .tries = TRIES,
	    .lookups = lookups,
	};
	int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS;
	int status;

	if (resolver->channel != NULL)
		return resolver->channel;
	/* No domains: ares_getaddrinfo() of 1.18 ignores ARES_FLAG_NOSEARCH. */
	if (!resolver->search)
		mask |= ARES_OPT_DOMAINS;
	status = ares_init_options(&resolver->channel, &options, mask);
	if (status == ARES_SUCCESS && resolver->dns_servers != NULL) {
		status = ares_set_servers_ports_csv(resolver->channel,
		    resolver->dns_servers);
		if (status != ARES_SUCCESS)
			ares_destroy(resolver->channel);
	}
	if (status == ARES_SUCCESS)
		return resolver->channel;
	resolver->channel = NULL;
	g_set_error(error, RESOLVE_ERROR, RESOLVE_ERROR_TEMPORARY,
	    "cannot set up DNS: %s", ares_strerror(status));
	return NULL;
}

static nfds_t
fill_pollfds(ares_channel channel, struct pollfd fds[SOCKETS_MAX])
{
	ares_socket_t sockets[SOCKETS_MAX];
	int bits = ares_getsock(channel, sockets, SOCKETS_MAX);
	nfds_t count;

	for (count = 0; count < SOCKETS_MAX; count++) {
		short events = 0;

		if (ARES_GETSOCK_READABLE(bits, count))
			events |= POLLIN;
		if (ARES_GETSOCK_WRITABLE(bits, count))
			events |= POLLOUT;
		if (events == 0)
			break;
		fds[count] = (struct pollfd){sockets[count], events, 0};
	}
	return count;
}

/* Waits for answers, until c-ares wants to try again or @deadline. */
static gboolean
turn(ares_channel channel, gint64 deadline)
{
	struct pollfd fds[SOCKETS_MAX];
	nfds_t count = fill_pollfds(channel, fds);
	struct timeval buffer;
	const struct timeval *retry = ares_timeout(channel, NULL, &buffer);
	gint64 until = deadline;

	if (retry != NULL) {
		gint64 again = deadline_in(
		    retry->tv_sec * G_USEC_PER_SEC + retry->tv_usec);

		until = MIN(until, again);
	}
	if (deadline_poll(fds, count, until) < 0)
		return FALSE;
	for (nfds_t i = 0; i < count; i++) {
		gboolean read = (fds[i].revents & ~POLLOUT) != 0;
		gboolean write = (fds[i].revents & POLLOUT) != 0;

		ares_process_fd(channel, read ? fds[i].fd : ARES_SOCKET_BAD,
		    write ? fds[i].fd : ARES_SOCKET_BAD);
	}
	ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	return TRUE;
}

void
resolver_wait(struct resolver *resolver, const gboolean *done, gint64 deadline)
{
	ares_channel channel = resolver->channel;

	while (!*done) {
		/* That calls back for what has no answer. */
		if (deadline_left(deadline) == 0 || !turn(channel, deadline))
			ares_cancel(channel);
	}
}

static gboolean
is_loopback(const struct ares_addr_port_node *server)
{
	if (server->family == AF_INET)
		return ntohl(server->addr.addr4.s_addr) >> 24 == 127;
	return server->family == AF_INET6 &&
	    memcmp(&server->addr.addr6, &in6addr_loopback,
		sizeof(in6addr_loopback)) == 0;
}

gboolean
resolver_is_local(struct resolver *resolver)
{
	struct ares_addr_port_node *servers = NULL;
	gboolean local;

	if (ares_get_servers_ports(resolver->channel, &servers) != ARES_SUCCESS)
		return FALSE;
	local = servers != NULL;
	for (const struct ares_addr_port_node *server = servers; server != NULL;
	     server = server->next)
		local = local && is_loopback(server);
	ares_free_data(servers);
	return local;
}

gboolean
resolver_is_not_found(int status)
{
	return status == ARES_ENOTFOUND || status == ARES_ENODATA;
}

static void
set_no_answer(gint64 begun, GError **error)
{
	gint64 waited = g_get_monotonic_time() - begun;

	/* To the nearest second: a deadline is never met exactly. */
	waited = (waited + G_USEC_PER_SEC / 2) / G_USEC_PER_SEC;
	g_set_error(error, RESOLVE_ERROR, RESOLVE_ERROR_TEMPORARY,
	    "cannot resolve: no answer from DNS within %" G_GINT64_FORMAT " s",
	    MAX(waited, 1));
}

void
resolver_set_error(int status, gint64 begun, const char *missing,
    GError **error)
{
	const char *text;

	switch (status) {
	case ARES_ETIMEOUT:
	case ARES_ECANCELLED:
		set_no_answer(begun, error);
		return;
	case ARES_ENOTFOUND:
		text = "no such name";
		break;
	case ARES_ENODATA:
		text = missing;
		break;
	/* SERVFAIL and REFUSED from the last server are this one in 1.18. */
	case ARES_ECONNREFUSED:
		text = "no DNS server has an answer";
		break;
	default:
		text = ares_strerror(status);
	}
	g_set_error(error, RESOLVE_ERROR,
	    resolver_is_not_found(status) ? RESOLVE_ERROR_NOT_FOUND
					  : RESOLVE_ERROR_TEMPORARY,
	    "cannot resolve: %s", text);
}
