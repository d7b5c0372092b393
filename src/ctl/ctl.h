/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smtproutectl(8): what its commands have in common.  A command is one
 * function here, and a file beside this one or a folder.
 */
#ifndef SMTPROUTE_CTL_H
#define SMTPROUTE_CTL_H

#include <glib.h>

#include "conf/settings.h"

struct ctl {
	const char *conf;    /* the settings' path */
	const char *command; /* its name: one function may have several */
	gboolean colour;     /* stdout is a terminal that wants it */
	gboolean wakes;      /* ctl_wake() is still to come */
};

/* Of a command, and the tool's exit status. */
enum ctl_status {
	CTL_OK,
	CTL_NO,      /* an answer, but not the one hoped for; see the manual */
	CTL_TROUBLE, /* no answer: usage, settings, files */
	CTL_UNKNOWN, /* of --check alone, where 2 is an answer */
	CTL_USAGE,   /* main() shows the command's usage; CTL_TROUBLE */
};

/* argv[0] is what getopt(3) complains as; it begins anew. */
typedef enum ctl_status
ctl_command(const struct ctl *ctl, int argc, char **argv);

ctl_command ctl_check;
ctl_command ctl_drain; /* ctl->command: drain, resume, retry, forget */
ctl_command ctl_edit;
ctl_command ctl_hosts;
ctl_command ctl_import;
ctl_command ctl_postfix;
ctl_command ctl_probe;
ctl_command ctl_queue;
ctl_command ctl_route;
ctl_command ctl_serve;
ctl_command ctl_trace;

/* NULL: complain() has said why. */
struct settings *
ctl_settings(const struct ctl *ctl);

/* Is there a main.cf?  Without, postconf(1) fails, and takes a second for it.
 */
gboolean
ctl_has_postfix(void);

/*
 * Root becomes the agent's user, for good: files in the state folder are the
 * agent's, and must stay so.  That is whom master.cf names, whoever has the
 * folder; if it names none, the folder's owner; if that is root, the usual
 * user.  Does nothing for others, or if nobody but root is known.
 * FALSE: complain() has said why.
 */
gboolean
ctl_become_agent(const struct ctl *ctl, const struct settings *settings);

/*
 * Has mail tried that waits for a host which is free again by its rate, if we
 * are the agent or can become it.  In a process of its own, which nothing waits
 * for and nothing is heard of: no command fails or is late because of it.  What
 * was said is to be written before, by say_flush().
 */
void
ctl_wake(const struct ctl *ctl);

/*
 * Text for people and scripts, to stdout; nothing is cut or escaped.  @text
 * that a peer or a file may have a say in goes through printable() before.
 */
void
say(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* "smtproutectl: ..." and a line end, to stderr. */
void
complain(const char *format, ...) G_GNUC_PRINTF(1, 2);

/*
 * From now on what is said is appended to @said, and what is complained of to
 * @complaints, as lines without "smtproutectl: ".  NULL for both: it goes where
 * it went before.
 */
void
say_divert(GString *said, GString *complaints);

/* Writes what was said.  FALSE: stdout took it not, complain() has said so. */
gboolean
say_flush(void);

#endif
