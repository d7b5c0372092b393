/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <poll.h>

#include "address/endpoint.h"
#include "dns/answer.h"
#include "dns/cares.h"
#include "dns/resolver.h"
#include "util/deadline.h"
#include "util/unchanged.h"

/*
 * For each server in turn, the second time doubled: with one server that is
 * silent 9 s, with three 27 s, which is still less than connect-timeout.
 */
#define TRY_MILLISECONDS 3000
#define TRIES            2

/*
 * That long, in microseconds for each of up to so many servers, however often
 * this release of c-ares tries.
 */
#define SERVER_SPAN (9 * (gint64)G_USEC_PER_SEC)
#define SERVERS_MAX 3

/* What c-ares reads when it is opened, and not again. */
#define SYSTEM_SET_UP "/etc/resolv.conf"

G_DEFINE_QUARK(smtproute_resolve_error, resolve_error)

struct resolver {
	char *dns_servers;    /* NULL: the system's */
	gboolean search;      /* complete names with search domains */
	ares_channel channel; /* NULL before the first lookup */
	gint64 span;          /* how long a question waits there */
	ares_channel file;    /* for /etc/hosts, likewise */
	GArray *sockets;      /* of struct pollfd: what c-ares waits for */
	struct stat set_up;   /* of the system's set-up, as it was read */
};

struct resolver *
resolver_new(const char *dns_servers)
{
	struct resolver *resolver = g_new0(struct resolver, 1);

	resolver->dns_servers = g_strdup(dns_servers);
	resolver->sockets = g_array_new(FALSE, FALSE, sizeof(struct pollfd));
	return resolver;
}

struct resolver *
resolver_new_searching(const struct resolver *resolver)
{
	struct resolver *searching = resolver_new(resolver->dns_servers);

	searching->search = TRUE;
	return searching;
}

static void
close_channels(struct resolver *resolver)
{
	g_clear_pointer(&resolver->channel, ares_destroy);
	g_clear_pointer(&resolver->file, ares_destroy);
}

/* All zero: there is none. */
static struct stat
look_at_set_up(void)
{
	struct stat st;

	return stat(SYSTEM_SET_UP, &st) == 0 ? st : (struct stat){0};
}

void
resolver_renew(struct resolver *resolver)
{
	struct stat now;

	if (resolver->channel == NULL && resolver->file == NULL)
		return;
	now = look_at_set_up();
	if (!unchanged(&resolver->set_up, &now))
		close_channels(resolver);
}

void
resolver_free(struct resolver *resolver)
{
	if (resolver == NULL)
		return;
	close_channels(resolver);
	g_array_unref(resolver->sockets);
	g_free(resolver->dns_servers);
	g_free(resolver);
}

/* No events: it is about to be closed. */
static void
on_socket(void *data, ares_socket_t fd, int readable, int writable)
{
	GArray *sockets = data;
	struct pollfd wanted = {.fd = fd};
	guint i = 0;

	wanted.events =
	    (short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
	while (i < sockets->len &&
	    g_array_index(sockets, struct pollfd, i).fd != fd)
		i++;
	if (i < sockets->len)
		g_array_remove_index_fast(sockets, i);
	if (wanted.events != 0)
		g_array_append_val(sockets, wanted);
}

/* What c-ares is set up with; @lookups: 'f' is /etc/hosts, 'b' is DNS. */
static int
set_up(struct resolver *resolver, char *lookups, ares_channel *ret)
{
	struct ares_options options = {
	    .timeout = TRY_MILLISECONDS,
	    .tries = TRIES,
	    .lookups = lookups,
	    .sock_state_cb = on_socket,
	    .sock_state_cb_data = resolver->sockets,
	};
	int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
	    ARES_OPT_SOCK_STATE_CB;
	int status;

	mask |= cares_set_options(&options);
	/* No domains: ares_getaddrinfo() of 1.18 ignores ARES_FLAG_NOSEARCH. */
	if (!resolver->search)
		mask |= ARES_OPT_DOMAINS;
	status = ares_init_options(ret, &options, mask);
	if (status != ARES_SUCCESS || resolver->dns_servers == NULL)
		return status;
	status = ares_set_servers_ports_csv(*ret, resolver->dns_servers);
	if (status != ARES_SUCCESS)
		ares_destroy(*ret);
	return status;
}

static ares_channel
open_channel(struct resolver *resolver, const char *lookups,
    ares_channel *channel, GError **error)
{
	g_autofree char *copy = g_strdup(lookups);
	ares_channel opened = NULL;
	int status;

	if (*channel != NULL)
		return *channel;
	resolver->set_up = look_at_set_up();
	status = set_up(resolver, copy, &opened);
	if (status == ARES_SUCCESS)
		return *channel = opened;
	g_set_error(error, RESOLVE_ERROR, RESOLVE_ERROR_TEMPORARY,
	    "cannot set up DNS: %s", ares_strerror(status));
	return NULL;
}

static gint64
span_of(ares_channel channel)
{
	g_auto(GStrv) servers = cares_servers(channel);
	guint count = servers == NULL ? 1 : g_strv_length(servers);

	return SERVER_SPAN * CLAMP(count, 1, SERVERS_MAX);
}

ares_channel
resolver_open(struct resolver *resolver, GError **error)
{
	gboolean is_open = resolver->channel != NULL;
	ares_channel channel = open_channel(resolver,
	    resolver->search ? "fb" : "b", &resolver->channel, error);

	if (channel != NULL && !is_open)
		resolver->span = span_of(channel);
	return channel;
}

ares_channel
resolver_open_file(struct resolver *resolver, GError **error)
{
	return open_channel(resolver, "f", &resolver->file, error);
}

/* Waits for answers, until c-ares wants to try again or @deadline. */
static gboolean
turn(const struct resolver *resolver, gint64 deadline)
{
	ares_channel channel = resolver->channel;
	/* A copy: c-ares opens and closes some while it reads. */
	g_autoptr(GArray) ready = g_array_copy(resolver->sockets);
	struct pollfd *fds = (struct pollfd *)(void *)ready->data;
	struct timeval buffer;
	const struct timeval *retry = ares_timeout(channel, NULL, &buffer);
	gint64 until = deadline;

	if (retry != NULL) {
		gint64 again = deadline_in(
		    retry->tv_sec * G_USEC_PER_SEC + retry->tv_usec);

		until = MIN(until, again);
	}
	if (deadline_poll(fds, ready->len, until) < 0)
		return FALSE;
	for (guint i = 0; i < ready->len; i++) {
		gboolean read = (fds[i].revents & ~POLLOUT) != 0;
		gboolean write = (fds[i].revents & POLLOUT) != 0;

		ares_process_fd(channel, read ? fds[i].fd : ARES_SOCKET_BAD,
		    write ? fds[i].fd : ARES_SOCKET_BAD);
	}
	ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	return TRUE;
}

gboolean
resolver_turn(struct resolver *resolver, gint64 deadline)
{
	if (turn(resolver, deadline))
		return TRUE;
	ares_cancel(resolver->channel);
	return FALSE;
}

gint64
resolver_until(const struct resolver *resolver, gint64 begun, gint64 deadline)
{
	return MIN(deadline, begun + resolver->span);
}

void
resolver_wait(struct resolver *resolver, const gboolean *done, gint64 deadline)
{
	deadline = resolver_until(resolver, g_get_monotonic_time(), deadline);
	while (!*done) {
		/* That calls back for what has no answer. */
		if (deadline_left(deadline) == 0)
			ares_cancel(resolver->channel);
		else
			resolver_turn(resolver, deadline);
	}
}

static gboolean
is_loopback(const char *address)
{
	struct endpoint server;

	if (!endpoint_parse(address, 0, &server))
		return FALSE;
	if (endpoint_family(&server) == AF_INET)
		return ntohl(server.sa.in.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&server.sa.in6.sin6_addr);
}

gboolean
resolver_is_local(struct resolver *resolver)
{
	g_auto(GStrv) servers = cares_servers(resolver->channel);
	gsize i = 0;

	if (servers == NULL)
		return FALSE;
	while (servers[i] != NULL && is_loopback(servers[i]))
		i++;
	return i > 0 && servers[i] == NULL;
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
	/*
	 * SERVFAIL, REFUSED and NOTIMP of the last server are, in 1.18, as if
	 * none had been there.
	 */
	case ARES_ESERVFAIL:
	case ARES_EREFUSED:
	case ARES_ENOTIMP:
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

/* A question, and what its answer comes to. */
struct question {
	resolver_take take;
	void *data;
	gboolean done;
	int status;
};

static void
on_answer(void *data, int status, const unsigned char *message, gsize length)
{
	struct question *question = data;

	if (status == ARES_SUCCESS)
		status = answer_status(message, length);
	if (status == ARES_SUCCESS)
		status = question->take(message, length, question->data);
	question->status = status;
	question->done = TRUE;
}

gboolean
resolver_ask(struct resolver *resolver, const char *name, int type,
    gint64 deadline, resolver_take take, void *data, const char *missing,
    GError **error)
{
	struct question question = {.take = take, .data = data};
	gint64 begun = g_get_monotonic_time();
	ares_channel channel = resolver_open(resolver, error);

	if (channel == NULL)
		return FALSE;
	cares_ask(channel, name, type, on_answer, &question);
	resolver_wait(resolver, &question.done, deadline);
	if (question.status == ARES_SUCCESS)
		return TRUE;
	resolver_set_error(question.status, begun, missing, error);
	return FALSE;
}
