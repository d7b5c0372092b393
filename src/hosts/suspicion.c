/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <string.h>

#include "hosts/suspicion.h"

/* FNV-1a's, of 64 bits. */
#define HASH_BASIS G_GUINT64_CONSTANT(14695981039346656037)
#define HASH_PRIME G_GUINT64_CONSTANT(1099511628211)

guint64
suspicion_sender(const char *sender)
{
	guint64 hash = HASH_BASIS;

	for (const char *p = sender; *p != '\0'; p++)
		hash = (hash ^ (guint8)*p) * HASH_PRIME;
	return MAX(hash, 1);
}

gboolean
suspicion_confirmed(struct suspicion *suspicion, guint64 sender)
{
	guint64 before = suspicion->sender;

	suspicion->sender = sender;
	if (before == 0 || before == sender)
		return FALSE;
	*suspicion = (struct suspicion){.reasons = {before, sender}};
	return TRUE;
}

gboolean
suspicion_is_reason(const struct suspicion *suspicion, guint64 sender)
{
	for (guint i = 0; i < SUSPICION_REASONS; i++) {
		if (sender != 0 && suspicion->reasons[i] == sender)
			return TRUE;
	}
	return FALSE;
}
