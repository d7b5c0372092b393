/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "smtp/peer.h"
#include "util/deadline.h"
#include "util/quickack.h"

G_DEFINE_QUARK(smtproute_peer_error, peer_error)

struct peer {
	int fd;
	struct tls *tls;     /* NULL: in clear text */
	short send_events;   /* what sending waits for */
	gboolean has_heard;  /* something, since it last sent */
	gboolean was_reset;  /* or ended by TLS */
	gboolean is_unclear; /* it may live on: the trouble is ours */
	GError *lost;        /* why nothing can be read any more */
	struct reply_reader *replies;
	struct transcript *transcript; /* NULL: none */
};

struct peer *
peer_new(int fd)
{
	struct peer *peer = g_new0(struct peer, 1);

	peer->fd = fd;
	peer->send_events = POLLOUT;
	peer->replies = reply_reader_new();
	return peer;
}

void
peer_transcribe(struct peer *peer, struct transcript *transcript)
{
	peer->transcript = transcript;
}

void
peer_free(struct peer *peer)
{
	reply_reader_free(peer->replies);
	if (peer->tls != NULL)
		tls_free(peer->tls);
	g_clear_error(&peer->lost);
	g_free(peer);
}

/* What the end of the connection tells of what was sent: see lacks_end(). */
static void
note_end(struct peer *peer, int code)
{
	switch (code) {
	case 0:
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
		break;
	case ECONNRESET:
	case EPIPE:
	case EPROTO:
		peer->was_reset = TRUE;
		break;
	default:
		peer->is_unclear = TRUE;
	}
}

static gboolean
fail_lost(struct peer *peer, GError **error, int code)
{
	const char *reason =
	    code == EPROTO && peer->tls != NULL ? tls_reason(peer->tls) : NULL;

	note_end(peer, code);
	if (reason != NULL)
		g_set_error(error, PEER_ERROR, PEER_ERROR_LOST,
		    "connection lost: TLS: %s", reason);
	else if (code == 0)
		g_set_error(error, PEER_ERROR, PEER_ERROR_LOST,
		    "connection lost");
	else
		g_set_error(error, PEER_ERROR, PEER_ERROR_LOST,
		    "connection lost: %s", g_strerror(code));
	return FALSE;
}

static gboolean
fail_timeout(GError **error)
{
	g_set_error(error, PEER_ERROR, PEER_ERROR_TIMEOUT, "timed out");
	return FALSE;
}

/* Waits until one of @events is there. */
static gboolean
await(struct peer *peer, short events, gint64 deadline, short *revents,
    GError **error)
{
	struct pollfd pollfd = {.fd = peer->fd, .events = events};
	int ready;

	if (events == POLLIN && peer->tls != NULL &&
	    tls_has_pending(peer->tls)) {
		*revents = POLLIN;
		return TRUE;
	}
	/*
	 * What was heard may be a piece of what it says.  Before that there is
	 * nothing to acknowledge, and amid the content it goes with what is
	 * sent.
	 */
	if (events == POLLIN && peer->has_heard)
		quickack(peer->fd);
	ready = deadline_poll(&pollfd, 1, deadline);
	if (ready < 0)
		return fail_lost(peer, error, errno);
	if (ready == 0)
		return fail_timeout(error);
	*revents = pollfd.revents;
	return TRUE;
}

/* Sends what the socket takes at once. */
static gboolean
send_some(struct peer *peer, const char *data, gsize length, gsize *sent,
    GError **error)
{
	gssize n = peer->tls != NULL
	    ? tls_write(peer->tls, data, length)
	    : send(peer->fd, data, length, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return fail_lost(peer, error, errno);
	/* OpenSSL may have half a record to read first. */
	if (peer->tls != NULL)
		peer->send_events =
		    n < 0 && errno == EAGAIN ? tls_events(peer->tls) : POLLOUT;
	if (n > 0)
		peer->has_heard = FALSE;
	*sent = n < 0 ? 0 : n;
	return TRUE;
}

gboolean
peer_send(struct peer *peer, const char *data, gsize length, gint64 deadline,
    GError **error)
{
	if (peer->transcript != NULL)
		transcript_ours(peer->transcript, data, length);
	while (length > 0) {
		short revents;
		gsize sent = 0;

		if (!send_some(peer, data, length, &sent, error))
			return FALSE;
		/* Whatever the socket promises. */
		if (sent == 0 && deadline_left(deadline) == 0)
			return fail_timeout(error);
		if (sent == 0 &&
		    !await(peer, peer->send_events, deadline, &revents, error))
			return FALSE;
		data += sent;
		length -= sent;
	}
	return TRUE;
}

static gboolean
fail_spoke(GError **error)
{
	g_set_error(error, PEER_ERROR, PEER_ERROR_SPOKE, "premature reply");
	return FALSE;
}

gboolean
peer_send_content(struct peer *peer, struct message *message, gint64 span,
    gint64 deadline, GError **error)
{
	guint64 end = message_wire_length(message);
	guint64 offset = 0;
	gint64 limit = MIN(deadline_in(span), deadline);

	if (reply_reader_pending(peer->replies) ||
	    (peer->tls != NULL && tls_has_pending(peer->tls)))
		return fail_spoke(error);
	if (peer->transcript != NULL)
		transcript_content(peer->transcript, message_size(message));
	while (offset < end) {
		const char *data;
		gsize length;
		short revents;

		/* A socket that always takes more must not outlast it. */
		if (deadline_left(limit) == 0)
			return fail_timeout(error);
		if (!message_piece(message, offset, &data, &length, error) ||
		    !await(peer, POLLIN | peer->send_events, limit, &revents,
			error))
			return FALSE;
		if ((revents & POLLIN) && peer_has_spoken(peer))
			return fail_spoke(error);
		/* Whatever goes on while we wait for the host. */
		if (offset + length == end && !message_may_end(error))
			return FALSE;
		if (!send_some(peer, data, length, &length, error))
			return FALSE;
		if (length > 0)
			limit = MIN(deadline_in(span), deadline);
		offset += length;
	}
	return TRUE;
}

static gssize
receive_some(struct peer *peer, char *buffer, gsize size, short *events)
{
	gssize n;

	if (peer->tls == NULL)
		return recv(peer->fd, buffer, size, 0);
	n = tls_read(peer->tls, buffer, size);
	if (n < 0 && errno == EAGAIN)
		*events = tls_events(peer->tls);
	return n;
}

static gboolean
receive(struct peer *peer, gint64 deadline, GError **error)
{
	char buffer[8192];
	short events = POLLIN;
	short revents;
	guint tries = 0;
	gssize n;

	/* The kernel says it once, and then that this is the end. */
	if (peer->lost != NULL) {
		g_propagate_error(error, g_error_copy(peer->lost));
		return FALSE;
	}
	do {
		/* It may send for ever, and say nothing. */
		if (tries++ > 0 && deadline_left(deadline) == 0)
			return fail_timeout(error);
		if (!await(peer, events, deadline, &revents, error))
			return FALSE;
		n = receive_some(peer, buffer, sizeof(buffer), &events);
		peer->has_heard = TRUE;
	} while (n < 0 && (errno == EAGAIN || errno == EINTR));
	if (n <= 0) {
		fail_lost(peer, &peer->lost, n < 0 ? errno : 0);
		g_propagate_error(error, g_error_copy(peer->lost));
		return FALSE;
	}
	reply_reader_add(peer->replies, buffer, n);
	return TRUE;
}

struct reply *
peer_reply(struct peer *peer, gint64 deadline, GError **error)
{
	for (;;) {
		g_autoptr(GError) bad = NULL;
		struct reply *reply = reply_reader_take(peer->replies, &bad);

		if (reply != NULL && peer->transcript != NULL)
			transcript_theirs(peer->transcript, reply);
		if (reply != NULL)
			return reply;
		if (bad != NULL) {
			g_set_error(error, PEER_ERROR, PEER_ERROR_NONSENSE,
			    "%s", bad->message);
			return NULL;
		}
		if (!receive(peer, deadline, error))
			return NULL;
	}
}

/* Is there anything to read, or the end? */
static gboolean
has_input(const struct peer *peer)
{
	struct pollfd pollfd = {.fd = peer->fd, .events = POLLIN};

	return peer->tls != NULL ? tls_has_spoken(peer->tls)
				 : poll(&pollfd, 1, 0) > 0;
}

gboolean
peer_has_spoken(struct peer *peer)
{
	while (!reply_reader_pending(peer->replies)) {
		if (peer->lost != NULL)
			return TRUE;
		if (!has_input(peer))
			return FALSE;
		/* What is there may be an empty line only. */
		if (!receive(peer, deadline_in(0), NULL))
			return TRUE;
	}
	return TRUE;
}

/*
 * Is it certain that the host has not read the last byte that was sent?  What
 * the kernel still has of it (it has it also when the connection is gone) the
 * host's kernel has not acknowledged.  After silence, or an orderly end, that
 * is proof: any acknowledgment would be here.  But a reset tells nothing of
 * what came before it, and a program may have read up to two segments whose
 * acknowledgment was put off (RFC 5681 section 4.2).  Where nothing
 * ended, but a system call of ours failed, they may just be on their way.
 */
static gboolean
lacks_end(const struct peer *peer)
{
	socklen_t size = sizeof(int);
	int segment = 0;
	int unsent = 0;
	int unacknowledged = 0;

	if (ioctl(peer->fd, SIOCOUTQNSD, &unsent) < 0 ||
	    ioctl(peer->fd, SIOCOUTQ, &unacknowledged) < 0 ||
	    getsockopt(peer->fd, IPPROTO_TCP, TCP_MAXSEG, &segment, &size) < 0)
		return FALSE;
	return unsent > 0 ||
	    (!peer->is_unclear &&
		unacknowledged > (peer->was_reset ? 2 * segment : 0));
}

gboolean
peer_take_back(struct peer *peer)
{
	const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

	if (!lacks_end(peer))
		return FALSE;
	/* A mere close(2) would have the kernel go on sending. */
	connect(peer->fd, &nobody, sizeof(nobody));
	return TRUE;
}

/* That it has closed is no speech. */
static gboolean
has_sent(const struct peer *peer)
{
	char byte;

	return recv(peer->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

gboolean
peer_start_tls(struct peer *peer, const struct tls_policy *policy,
    gint64 deadline, GError **error)
{
	g_autoptr(GError) reason = NULL;

	if (!reply_reader_is_clean(peer->replies) ||
	    (policy->level != TLS_WRAPPER && has_sent(peer)))
		return fail_spoke(error);
	peer->tls = tls_connect(peer->fd, policy, deadline, &reason);
	if (peer->tls != NULL)
		return TRUE;
	if (g_error_matches(reason, TLS_ERROR, TLS_ERROR_TIMEOUT))
		return fail_timeout(error);
	g_propagate_error(error, g_steal_pointer(&reason));
	return FALSE;
}

const struct tls *
peer_tls(const struct peer *peer)
{
	return peer->tls;
}
