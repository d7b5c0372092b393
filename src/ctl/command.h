/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Other programs: run without a shell, with a limit on time and output.  They
 * are looked for in the absolute folders of $PATH, then in those that hold
 * the system's; that is also the PATH that they are given.
 */
#ifndef SMTPROUTE_CTL_COMMAND_H
#define SMTPROUTE_CTL_COMMAND_H

#include <glib.h>

#define COMMAND_ERROR (command_error_quark())

enum command_error {
	COMMAND_ERROR_MISSING, /* no such program in any folder */
	COMMAND_ERROR_FAILED,
};

GQuark
command_error_quark(void);

struct command {
	const char *const *argv;      /* NULL at its end */
	const char *input;            /* for stdin; NULL: /dev/null */
	GSpawnChildSetupFunc prepare; /* in the child; may be NULL */
	gpointer data;                /* for prepare */
	gint64 time;                  /* at most; 0: COMMAND_TIME */
};

/* The longest output, and the longest time in microseconds. */
#define COMMAND_OUTPUT_MAX (8 * 1024 * 1024)
#define COMMAND_TIME       (30 * G_TIME_SPAN_SECOND)

/*
 * Returns the exit status; *ret_output is what was written to stdout, and
 * *ret_complaint what to stderr, new strings.  -1 with COMMAND_ERROR: it was
 * not run, ended by a signal, or met a limit; then all that it started in its
 * process group is ended too.
 */
int
command_run(const struct command *command, char **ret_output,
    char **ret_complaint, GError **error);

/*
 * Takes some of what a program writes to stdout, with @data as given below.
 * Returns NULL, or what is wrong with it, which ends the program.
 */
typedef const char *
command_taker(const char *bytes, gsize count, gpointer data);

/*
 * The same for long output: @take has it as it comes, without a limit.  If it
 * minds, the error is "program: " and what it says.
 */
int
command_stream(const struct command *command, command_taker *take,
    gpointer data, char **ret_complaint, GError **error);

/*
 * Sets the error of a command with an exit status that says it failed: its own
 * words, or that it fails.  FALSE, so that callers can return it.
 */
gboolean
command_failed(const struct command *command, const char *complaint,
    GError **error);

#endif
