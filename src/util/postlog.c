/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/autofd.h"
#include "util/deadline.h"
#include "util/postlog.h"

/* The log never holds up mail for longer. */
#define WRITE_SPAN (1 * G_TIME_SPAN_SECOND)
#define END_SPAN   (2 * G_TIME_SPAN_SECOND)

/* As much of what it says in a line as is of use. */
#define LINE_MAX_KEPT 200

struct postlog {
	pid_t pid;
	int to;                            /* its standard input */
	int from;                          /* its standard output and error */
	char line[LINE_MAX_KEPT + 1];      /* what it is saying */
	char complaint[LINE_MAX_KEPT + 1]; /* its first one; "": none */
};

/* Postfix's command_directory is not in pipe(8)'s PATH. */
char *
postlog_find(void)
{
	static const char *const paths[] = {"/usr/sbin/postlog",
	    "/usr/local/sbin/postlog", "/sbin/postlog"};

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		if (access(paths[i], X_OK) == 0)
			return g_strdup(paths[i]);
	}
	return g_find_program_in_path("postlog");
}

/* @pipes: what it reads, then what it writes.  Returns an errno. */
static int
spawn(const char *program, const char *tag, int (*pipes)[2], pid_t *ret)
{
	g_autofree char *line = g_strconcat("postlog -p info -t ", tag, NULL);
	/* No tag has a blank. */
	g_auto(GStrv) argv = g_strsplit(line, " ", -1);
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t defaults;
	int error;

	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_adddup2(&actions, pipes[0][0], 0);
	posix_spawn_file_actions_adddup2(&actions, pipes[1][1], 1);
	posix_spawn_file_actions_adddup2(&actions, pipes[1][1], 2);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	error = posix_spawn(ret, program, &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

static int
make_pipes(int (*pipes)[2])
{
	if (pipe2(pipes[0], O_CLOEXEC) < 0)
		return errno;
	if (pipe2(pipes[1], O_CLOEXEC) < 0) {
		int error = errno;

		close(pipes[0][0]);
		close(pipes[0][1]);
		return error;
	}
	/* Who does not read must not hold us up. */
	fcntl(pipes[0][1], F_SETFL, O_NONBLOCK);
	fcntl(pipes[1][0], F_SETFL, O_NONBLOCK);
	return 0;
}

struct postlog *
postlog_begin(const char *tag, char **ret_reason)
{
	g_autofree char *program = postlog_find();
	struct postlog *postlog;
	int pipes[2][2];
	pid_t pid = -1;
	int error = program == NULL ? ENOENT : make_pipes(pipes);

	if (error == 0) {
		error = spawn(program, tag, pipes, &pid);
		close(pipes[0][0]);
		close(pipes[1][1]);
		if (error != 0) {
			close(pipes[0][1]);
			close(pipes[1][0]);
		}
	}
	if (error != 0) {
		*ret_reason = g_strdup_printf("postlog: %s", g_strerror(error));
		return NULL;
	}
	postlog = g_new(struct postlog, 1);
	*postlog = (struct postlog){.pid = pid,
	    .to = pipes[0][1],
	    .from = pipes[1][0]};
	return postlog;
}

/*
 * Postfix 3.10 says each line that it logs, too, behind its name.  What it
 * complains of has a severity there, which a line of ours has not: that begins
 * with a queue id.
 */
static void
hear_line(struct postlog *postlog)
{
	static const char *const severities[] = {"warning: ", "error: ",
	    "fatal: ", "panic: "};
	static const char name[] = "postlog: ";
	/* Or "postfix/postlog: ", by syslog_name. */
	const char *said = strstr(postlog->line, name);
	gboolean complains = said == NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(severities); i++)
		complains = complains ||
		    g_str_has_prefix(said + strlen(name), severities[i]);
	if (complains && postlog->complaint[0] == '\0')
		g_strlcpy(postlog->complaint,
		    said == NULL ? postlog->line : said,
		    sizeof(postlog->complaint));
	postlog->line[0] = '\0';
}

static void
hear(struct postlog *postlog, const char *text, gsize length)
{
	gsize kept = strlen(postlog->line);

	for (gsize i = 0; i < length; i++) {
		if (text[i] == '\n') {
			hear_line(postlog);
			kept = 0;
		} else if (kept < LINE_MAX_KEPT && text[i] != '\0') {
			postlog->line[kept++] = text[i];
			postlog->line[kept] = '\0';
		}
	}
}

/* Some of what there is.  FALSE: nothing more will come. */
static gboolean
hear_some(struct postlog *postlog)
{
	char text[4096];
	gssize count = read(postlog->from, text, sizeof(text));

	if (count > 0)
		hear(postlog, text, (gsize)count);
	return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
}

/*
 * Hears what it says until it reads, or for fd -1, which is never, until it
 * has closed its end.  FALSE: not by then.
 */
static gboolean
wait_for(struct postlog *postlog, int fd, gint64 deadline)
{
	struct pollfd polled[] = {{.fd = fd, .events = POLLOUT},
	    {.fd = postlog->from, .events = POLLIN}};

	while (deadline_poll(polled, 2, deadline) > 0) {
		if (polled[0].revents != 0)
			return TRUE;
		if (!hear_some(postlog)) {
			polled[1].fd = -1;
			if (fd < 0)
				return TRUE;
		}
		/* It may have more to say for ever. */
		if (deadline_left(deadline) == 0)
			return FALSE;
	}
	return FALSE;
}

gboolean
postlog_write(struct postlog *postlog, const char *line)
{
	g_autofree char *text = g_strconcat(line, "\n", NULL);
	gint64 deadline = deadline_in(WRITE_SPAN);
	gsize length = strlen(text);
	gsize done = 0;

	/* Its echo of earlier lines must not hold it up. */
	hear_some(postlog);
	while (done < length) {
		gssize count = write(postlog->to, text + done, length - done);

		if (count > 0)
			done += (gsize)count;
		else if (errno != EINTR &&
		    (errno != EAGAIN ||
			!wait_for(postlog, postlog->to, deadline)))
			return FALSE;
	}
	return TRUE;
}

/* What there is to complain about; NULL: nothing.  @ended: did it in time? */
static char *
complaint_of(const struct postlog *postlog, gboolean ended, int status)
{
	if (!ended)
		return g_strdup("postlog: timed out");
	if (postlog->complaint[0] != '\0')
		return g_strdup(postlog->complaint);
	if (status == 0)
		return NULL;
	/* It says nothing if it may not go to postlogd(8)'s socket. */
	return g_strdup_printf("postlog: ended with status %d",
	    WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

char *
postlog_end(struct postlog *postlog)
{
	char *complaint;
	int status = 0;
	gboolean ended;

	close(postlog->to);
	ended = wait_for(postlog, -1, deadline_in(END_SPAN));
	close(postlog->from);
	/* What goes on after the deadline goes on without us. */
	if (ended)
		ended = waitpid(postlog->pid, &status, 0) == postlog->pid;
	if (postlog->line[0] != '\0')
		hear_line(postlog);
	complaint = complaint_of(postlog, ended, status);
	g_free(postlog);
	return complaint;
}
