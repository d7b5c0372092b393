/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A service of Postfix's master.cf(5), read as pipe(8) reads its own.
 */
#ifndef SMTPROUTE_CTL_SERVICE_H
#define SMTPROUTE_CTL_SERVICE_H

#include <glib.h>

/* The usual name of the service and of its user. */
#define SERVICE_NAME "smtproute"
#define SERVICE_USER "smtproute"

/* That of the service for LMTP. */
#define SERVICE_LMTP "smtproute-lmtp"

struct service {
	char *name;
	char *type;
	char *private; /* the columns as written, "-" is the default */
	char *unprivileged;
	char *chroot;
	char *wakeup;
	char *limit;
	char *daemon;          /* "pipe" */
	GPtrArray *options;    /* of the daemon, before the attributes */
	GPtrArray *attributes; /* "name=value", all but argv */
	GPtrArray *argv;       /* of the command, empty if there is none */
};

/*
 * The next word of a list of Postfix's, where what is between braces is whole:
 * a new string, NULL at the end; *at goes behind it.
 */
char *
service_word(const char **at, const char *separators);

struct service *
service_new(const char *name, const char *type);

/* Takes a field of "postconf -F" by its name; others are left alone. */
void
service_set(struct service *service, const char *field, const char *value);

/* Does pipe(8) run smtproute for it? */
gboolean
service_is_ours(const struct service *service);

/* Does spawn(8) run smtproute for it, to speak LMTP? */
gboolean
service_speaks_lmtp(const struct service *service);

/* One of the two? */
gboolean
service_is_smtproute(const struct service *service);

/*
 * What transport_maps says to lead mail to it: its name, and in LMTP
 * "lmtp:unix:private/NAME".  A new string.
 */
char *
service_transport(const struct service *service);

/* The value of an attribute, NULL: it is not given. */
const char *
service_attribute(const struct service *service, const char *name);

/* What "-o name=value" says, NULL: nothing. */
const char *
service_option(const struct service *service, const char *name);

/*
 * Is @word the macro @name of pipe(8): ${name}, $name or $(name)?
 */
gboolean
service_word_is_macro(const char *word, const char *name);

/*
 * The command's own options and arguments, as getopt(3) sees them.  The
 * strings belong to the service; NULL: not given.
 */
struct service_call {
	const char *conf;
	const char *queue_id;
	const char *sender;
	const char *nexthop;
	gboolean attached;  /* -f and its value are one word */
	gboolean separator; /* there is "--" */
	gboolean other;     /* an option that a delivery does not have */
	guint first;        /* recipient, index in argv */
};

struct service_call
service_call(const struct service *service);

/* Does its command read these settings? */
gboolean
service_reads(const struct service *service, const char *conf);

/* For messages: "master.cf: name/type", a new string. */
char *
service_place(const struct service *service);

void
service_free(struct service *service);

/* For g_autoptr(), which wants one word. */
typedef struct service Service;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Service, service_free)

#endif
