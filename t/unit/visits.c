/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <string.h>

#include <glib.h>

#include "unit/visits.h"

const struct health_limits visits_limits = {5 * G_USEC_PER_SEC,
    300 * G_USEC_PER_SEC};

struct outcome
visits_outcome(char letter)
{
	struct outcome outcome = {.text = (char *)(guintptr) "what happened"};

	switch (letter) {
	case 'D': /* delivered */
		outcome.kind = OUTCOME_DELIVERED;
		outcome.stage = STAGE_FINAL;
		outcome.code = 250;
		break;
	case 'B': /* refused for good, the recipient */
		outcome.kind = OUTCOME_BOUNCE;
		outcome.trouble = TROUBLE_RECIPIENT;
		outcome.stage = STAGE_RCPT;
		outcome.code = 550;
		break;
	case 'M': /* deferred, the message */
		outcome.trouble = TROUBLE_MESSAGE;
		outcome.stage = STAGE_DATA;
		outcome.code = 451;
		break;
	case 'H': /* accepted, but held */
		outcome.kind = OUTCOME_HELD;
		outcome.stage = STAGE_RCPT;
		outcome.code = 250;
		break;
	case 'x': /* connection refused */
		outcome.trouble = TROUBLE_HOST;
		outcome.stage = STAGE_CONNECT;
		break;
	case 'g': /* 421 at the greeting */
		outcome.trouble = TROUBLE_HOST;
		outcome.stage = STAGE_GREETING;
		outcome.code = 421;
		break;
	case 'e': /* 421 at EHLO */
		outcome.trouble = TROUBLE_HOST;
		outcome.stage = STAGE_EHLO;
		outcome.code = 421;
		break;
	case 'n': /* 554 at the greeting */
		outcome.trouble = TROUBLE_HOST;
		outcome.stage = STAGE_GREETING;
		outcome.code = 554;
		break;
	case 't': /* no answer to the connection */
		outcome.trouble = TROUBLE_HOST;
		outcome.stage = STAGE_CONNECT;
		break;
	case 's': /* 421 at MAIL */
		outcome.trouble = TROUBLE_SUSPECT;
		outcome.stage = STAGE_MAIL;
		outcome.code = 421;
		break;
	case 'u': /* lost after the final dot */
		outcome.kind = OUTCOME_UNSURE;
		outcome.trouble = TROUBLE_HOST;
		outcome.stage = STAGE_FINAL;
		break;
	case 'o': /* our own trouble */
		outcome.trouble = TROUBLE_MESSAGE;
		outcome.stage = STAGE_CONNECT;
		break;
	case 'r': /* no such name */
		outcome.trouble = TROUBLE_HOST;
		outcome.stage = STAGE_RESOLVE;
		break;
	default:
		g_assert_not_reached();
	}
	return outcome;
}

void
visits_note(struct stay *stay, const char *attempts)
{
	guint sessions = attempts[0] == '+' ? 3 : 0;
	g_auto(GStrv) words =
	    g_strsplit(attempts + (sessions > 0 ? 1 : 0), " ", 0);

	for (guint i = 0; words[i] != NULL; i++) {
		guint count = (guint)strlen(words[i]);
		g_autofree struct outcome *outcomes =
		    g_new0(struct outcome, count);
		gboolean connected = strpbrk(words[i], "xort") == NULL;
		g_autofree char *address = g_strdup_printf("192.0.2.%u", i + 1);
		struct visit visit = {.address = address,
		    .outcomes = outcomes,
		    .count = count,
		    .connect = connected ? 100 : -1,
		    .total = 1000};

		for (guint k = 0; k < count; k++)
			outcomes[k] = visits_outcome(words[i][k]);
		if (words[i][0] == 'r')
			visit.address = NULL;
		visit.refused = words[i][0] == 'x';
		stay_note(stay, &visit, stay_looks_full(&visit) ? sessions : 0);
	}
}

void
visits_apply(struct hostrecord *record, const char *attempts, gint64 now)
{
	struct stay stay = {0};
	struct departure departure;

	visits_note(&stay, attempts);
	stay_apply(&stay, record, &visits_limits, now, FALSE, &departure);
}
