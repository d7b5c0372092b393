/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What differs between the releases of c-ares: 1.28 has other calls for
 * questions than 1.18, which are all that it does not warn of since 1.34.
 */
#ifndef SMTPROUTE_CARES_H
#define SMTPROUTE_CARES_H

#include <glib.h>

#include <ares.h>

/* @message: what the server said, whole; NULL unless @status is a success. */
typedef void (*cares_answered)(void *data, int status,
    const unsigned char *message, gsize length);

/*
 * Sets what this release should have set, and returns the bits for it in the
 * mask of ares_init_options().
 */
int
cares_set_options(struct ares_options *options);

/*
 * Asks for the records of @type (of arpa/nameser.h) and class IN that @name
 * has, as it stands, with the AD bit, which asks for it in the answer (RFC
 * 6840 section 5.7).  @answered is called once, perhaps at once.
 */
void
cares_ask(ares_channel channel, const char *name, int type,
    cares_answered answered, void *data);

/*
 * The addresses of the servers that are asked, as text and without ports.  A
 * new array, or NULL: nobody knows.
 */
GStrv
cares_servers(ares_channel channel);

#endif
