/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of lookups share: results as one line of text.
 */
#ifndef SMTPROUTE_LOOKUP_H
#define SMTPROUTE_LOOKUP_H

#include <glib.h>

#include "address/family.h"
#include "dns/tlsa.h"

#define LOOKUP_NO_NAME    "not found: cannot resolve: no such name"
#define LOOKUP_NO_ADDRESS "not found: cannot resolve: no address"
#define LOOKUP_NO_MX      "not found: cannot resolve: no MX"
#define LOOKUP_TEMPORARY  "temporary: cannot resolve: "
#define LOOKUP_NO_SERVER  LOOKUP_TEMPORARY "no DNS server has an answer"
#define LOOKUP_NO_ANSWER  LOOKUP_TEMPORARY "no answer from DNS within * s"

/*
 * What c-ares 1.18 does not take for an answer, 1.34 takes for a bad one: the
 * one goes on waiting.
 */
#define LOOKUP_NO_SENSE LOOKUP_TEMPORARY "**"

/*
 * Sorted addresses; or, as for the next, the error: what kind it is of, and
 * its text.
 */
char *
lookup_addresses(const char *dns_servers, const char *name, gint64 patience);

/* Addresses as they come, or the error. */
void
lookup_in_order(const char *dns_servers, const char *name,
    enum address_family family, GString *text);

/* "preference host" of each mail exchanger, as they come. */
char *
lookup_mx(const char *dns_servers, const char *name, gint64 patience);

const char *
lookup_code_name(const GError *error);

/* How long to wait for an answer, where @expected is what comes of it. */
gint64
lookup_patience(const char *expected);

/* In @expected '*' stands for anything. */
void
lookup_assert(const char *text, const char *expected);

/* "usage selector matching [size]" of each, or why there are none. */
char *
lookup_tlsa_text(const struct tlsa_set *set);

#endif
