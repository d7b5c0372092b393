/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes ahead of the replies: MAIL, RCPT and DATA leave as one (volley.h),
 * and libESMTP is answered before the host has the commands.
 */
#ifndef SMTPROUTE_AHEAD_H
#define SMTPROUTE_AHEAD_H

#include "smtp/carrier.h"

/*
 * Do they leave as one?  DATA with the others: only where some of the
 * recipients may have the content without the others, or there are no others.
 */
gboolean
ahead_as_one(const struct carrier *carrier);

/* Where MAIL comes next: do they, and is it known that MAIL is sent? */
gboolean
ahead_is_sure(const struct carrier *carrier);

/*
 * Answers all that libESMTP has to say from MAIL to QUIT.  What becomes of the
 * message is for the host to say, and for nobody else to know.
 */
void
ahead_answer(struct carrier *carrier);

/*
 * At DATA: is the envelope whole?  Answered ahead, libESMTP would go on even if
 * it had left something out.  FALSE: that is our trouble, and the end.
 */
gboolean
ahead_is_whole(struct carrier *carrier);

#endif
