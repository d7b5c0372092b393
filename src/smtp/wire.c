/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "smtp/carrier.h"
#include "smtp/wire.h"
#include "util/autofd.h"
#include "util/deadline.h"
#include "util/secret.h"

struct wire {
	int host;
	struct carrier carrier;
	struct transcript transcript;
	guint sent; /* messages */
};

/* What a host has heard it may say again. */
static void
hide_secrets(const struct wire_job *job, struct outcome *outcomes)
{
	for (guint i = 0; i < job->recipients->len; i++) {
		credentials_mask(job->credentials, outcomes[i].reply);
		credentials_mask(job->credentials, outcomes[i].text);
	}
	secret_sweep();
}

/* The session has come to nothing, but another one may not. */
static void
give_again(struct wire *wire, struct wire_again *again)
{
	struct opening *opening = &wire->carrier.opening;

	*again = (struct wire_again){0};
	if (opening->tls_failure != NULL) {
		again->why = g_steal_pointer(&opening->tls_failure);
		again->stage = STAGE_TLS;
		again->late = opening->late;
	} else if (wire->carrier.login.failure != NULL) {
		again->why = g_steal_pointer(&wire->carrier.login.failure);
		again->stage = STAGE_AUTH;
	}
}

struct wire *
wire_new(int host)
{
	struct wire *wire = g_new0(struct wire, 1);

	wire->host = host;
	wire->carrier.dialogue.peer = peer_new(host);
	return wire;
}

/* The message, and nothing of the one before. */
static void
take_job(struct wire *wire, const struct wire_job *job,
    struct transaction *transaction)
{
	struct carrier *carrier = &wire->carrier;

	carrier->job = job;
	carrier->dialogue.transaction = transaction;
	carrier->dialogue.timeouts = job->timeouts;
	carrier->dialogue.deadline = job->deadline;
	carrier->dialogue.content_by = job->content_by;
	carrier->dialogue.each = job->lmtp;
	carrier->dialogue.over = FALSE;
	carrier->dialogue.refusals = 0;
	carrier->login.credentials = job->credentials;
	carrier->login.in_clear = job->auth_in_clear;
	carrier->login.authenticated = job->events->authenticated;
	carrier->login.data = job->data;
	carrier->login.without = job->auth_without;
	carrier->opening.lmtp = job->lmtp;
	carrier->opening.ehlo_ignore = job->ehlo_ignore;
	wire->transcript.said = job->transcript ? job->events->said : NULL;
	wire->transcript.data = job->data;
	peer_transcribe(carrier->dialogue.peer, &wire->transcript);
	carrier->rcpt_sent = 0;
	carrier->rcpt_answered = 0;
	carrier->idle = FALSE;
}

void
wire_send(struct wire *wire, const struct wire_job *job,
    struct outcome *outcomes, struct wire_again *ret_again)
{
	struct carrier *carrier = &wire->carrier;
	g_autoptr(Transaction) transaction =
	    transaction_new(outcomes, job->recipients->len);

	transaction->next_host_on = job->next_host_on;
	take_job(wire, job, transaction);
	if (wire->sent++ == 0)
		carrier_begin(carrier);
	else
		carrier_go_on(carrier);
	carrier->dialogue.transaction = NULL;
	wire->transcript.said = NULL;
	carrier->job = NULL;
	/* What it has heard that a host says again is gone first. */
	if (!carrier->idle)
		g_clear_pointer(&carrier->dialogue.peer, peer_free);
	if (job->credentials != NULL)
		hide_secrets(job, outcomes);
	give_again(wire, ret_again);
}

guint
wire_sent(const struct wire *wire)
{
	return wire->sent;
}

gboolean
wire_is_idle(const struct wire *wire)
{
	return wire->carrier.idle &&
	    !peer_has_spoken(wire->carrier.dialogue.peer);
}

void
wire_free(struct wire *wire)
{
	static const char quit[] = "QUIT\r\n";
	struct carrier *carrier = &wire->carrier;

	if (carrier->idle)
		peer_send(carrier->dialogue.peer, quit, strlen(quit),
		    deadline_in(0), NULL);
	g_clear_pointer(&carrier->session, session_free);
	g_clear_pointer(&carrier->dialogue.peer, peer_free);
	opening_clear(&carrier->opening);
	autofd_clear(&wire->host);
	g_free(wire);
}
