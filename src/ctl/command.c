/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/command.h"
#include "util/autofd.h"
#include "util/deadline.h"
#include "util/pour.h"
#include "util/printable.h"

/* Where programs are looked for besides $PATH, which cron(8) keeps short. */
#define FOLDERS "/usr/sbin:/usr/bin:/sbin:/bin"

/* How long a program that has closed its streams is waited for at a time. */
#define PAUSE_MIN G_TIME_SPAN_MILLISECOND
#define PAUSE_MAX (50 * G_TIME_SPAN_MILLISECOND)

/* As much of a complaint as a message quotes. */
#define COMPLAINT_SHOWN 300

enum stream {
	STREAM_OUTPUT,
	STREAM_COMPLAINT,
	STREAM_COUNT,
};

G_DEFINE_QUARK(smtproute_command_error, command_error)

/*
 * $PATH and the usual folders.  What is empty or relative in it would be the
 * folder that root happens to stand in.
 */
static char *
search_path(void)
{
	g_auto(GStrv) folders =
	    g_strsplit(g_getenv("PATH") != NULL ? g_getenv("PATH") : "", ":",
		-1);
	GString *path = g_string_new(NULL);

	for (gsize i = 0; folders[i] != NULL; i++) {
		if (folders[i][0] == '/')
			g_string_append_printf(path, "%s:", folders[i]);
	}
	g_string_append(path, FOLDERS);
	return g_string_free(path, FALSE);
}

/* The program @name in one of the folders of @path; NULL: there is none. */
static char *
find_program(const char *name, const char *path)
{
	g_auto(GStrv) folders = g_strsplit(path, ":", -1);

	for (gsize i = 0; folders[i] != NULL; i++) {
		g_autofree char *file =
		    g_build_filename(folders[i], name, NULL);

		if (g_file_test(file, G_FILE_TEST_IS_REGULAR) &&
		    access(file, X_OK) == 0)
			return g_steal_pointer(&file);
	}
	return NULL;
}

/* The file, and then all of @argv. */
static char **
copy_argv(char *file, const char *const *argv)
{
	GPtrArray *copy = g_ptr_array_new();

	g_ptr_array_add(copy, file);
	for (gsize i = 0; argv[i] != NULL; i++)
		g_ptr_array_add(copy, g_strdup(argv[i]));
	g_ptr_array_add(copy, NULL);
	return (char **)g_ptr_array_free(copy, FALSE);
}

/* What a child has to do before it becomes the program. */
struct departure {
	const struct command *command;
	int input; /* -1: /dev/null */
};

/* In the child, which leads a group so that all it starts can be ended. */
static void
prepare(gpointer data)
{
	const struct departure *departure = data;
	const struct command *command = departure->command;

	setpgid(0, 0);
	if (departure->input >= 0)
		dup2(departure->input, STDIN_FILENO);
	if (command->prepare != NULL)
		command->prepare(command->data);
}

/* A file with @text, at its beginning; -1: see errno. */
static int
make_input(const char *text)
{
	autofd fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0 || !pour(fd, text, strlen(text)) ||
	    lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	return autofd_steal(&fd);
}

/* FALSE, so that others can return it. */
static gboolean
fail(const struct command *command, const char *reason, GError **error)
{
	g_set_error(error, COMMAND_ERROR, COMMAND_ERROR_FAILED, "%s: %s",
	    command->argv[0], reason);
	return FALSE;
}

static gboolean
start(const struct command *command, GPid *ret_pid, int fds[STREAM_COUNT],
    GError **error)
{
	g_autoptr(GError) reason = NULL;
	g_autofree char *path = search_path();
	char *file = find_program(command->argv[0], path);
	autofd input = -1;
	struct departure departure = {.command = command, .input = -1};
	g_auto(GStrv) environment = NULL;
	g_auto(GStrv) argv = NULL;

	if (file == NULL) {
		g_set_error(error, COMMAND_ERROR, COMMAND_ERROR_MISSING,
		    "%s: not found in PATH", command->argv[0]);
		return FALSE;
	}
	argv = copy_argv(file, command->argv);
	if (command->input != NULL) {
		input = departure.input = make_input(command->input);
		if (input < 0)
			return fail(command, g_strerror(errno), error);
	}
	environment = g_environ_setenv(g_get_environ(), "PATH", path, TRUE);
	if (!g_spawn_async_with_pipes(NULL, argv, environment,
		G_SPAWN_FILE_AND_ARGV_ZERO | G_SPAWN_DO_NOT_REAP_CHILD, prepare,
		&departure, ret_pid, NULL, &fds[STREAM_OUTPUT],
		&fds[STREAM_COMPLAINT], &reason))
		return fail(command, reason->message, error);
	return TRUE;
}

/* Who takes what comes from a stream. */
struct reader {
	command_taker *take;
	gpointer data;
};

static const char *
take_text(const char *bytes, gsize count, gpointer data)
{
	GString *text = data;

	g_string_append_len(text, bytes, (gssize)count);
	return text->len > COMMAND_OUTPUT_MAX ? "says too much" : NULL;
}

/* Closes what is at its end.  NULL, or what went wrong. */
static const char *
read_more(int *fd, const struct reader *reader)
{
	char buffer[65536];
	gssize count = read(*fd, buffer, sizeof(buffer));

	if (count > 0)
		return reader->take(buffer, (gsize)count, reader->data);
	if (count == 0 || errno != EINTR)
		autofd_clear(fd);
	return NULL;
}

/* What both streams hold.  NULL, or what went wrong. */
static const char *
read_streams(int fds[STREAM_COUNT], const struct reader readers[STREAM_COUNT],
    gint64 deadline)
{
	while (fds[STREAM_OUTPUT] >= 0 || fds[STREAM_COMPLAINT] >= 0) {
		struct pollfd polled[STREAM_COUNT];
		const char *trouble = NULL;
		int ready;

		for (gsize i = 0; i < STREAM_COUNT; i++)
			polled[i] = (struct pollfd){fds[i], POLLIN, 0};
		ready = deadline_poll(polled, STREAM_COUNT, deadline);
		if (ready == 0)
			return "takes too long";
		if (ready < 0)
			return g_strerror(errno);
		for (gsize i = 0; i < STREAM_COUNT && trouble == NULL; i++) {
			if (polled[i].revents != 0)
				trouble = read_more(&fds[i], &readers[i]);
		}
		if (trouble != NULL)
			return trouble;
	}
	return NULL;
}

/* waitpid(2) until @deadline, then an end of it. */
static pid_t
wait_for(GPid pid, int *status, gint64 deadline)
{
	gint64 pause = PAUSE_MIN;
	pid_t ended;

	while ((ended = waitpid(pid, status, WNOHANG)) == 0) {
		if (deadline_left(deadline) == 0)
			return 0;
		deadline_poll(NULL, 0, MIN(deadline_in(pause), deadline));
		pause = MIN(2 * pause, PAUSE_MAX);
	}
	return ended;
}

/*
 * The exit status, or what went wrong: one that has closed its streams may
 * still go on.
 */
static const char *
reap(GPid pid, int *ret_status, gint64 deadline)
{
	int status = 0;
	pid_t ended = wait_for(pid, &status, deadline);

	if (ended == 0) {
		kill(-pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		return "takes too long";
	}
	if (ended < 0)
		return g_strerror(errno);
	if (!WIFEXITED(status))
		return g_strsignal(WTERMSIG(status));
	*ret_status = WEXITSTATUS(status);
	return NULL;
}

int
command_stream(const struct command *command, command_taker *take,
    gpointer data, char **ret_complaint, GError **error)
{
	g_autoptr(GString) complaint = g_string_new(NULL);
	const struct reader readers[STREAM_COUNT] = {
	    [STREAM_OUTPUT] = {take, data},
	    [STREAM_COMPLAINT] = {take_text, complaint},
	};
	int fds[STREAM_COUNT] = {-1, -1};
	gint64 deadline =
	    deadline_in(command->time > 0 ? command->time : COMMAND_TIME);
	const char *trouble;
	const char *end;
	int status = -1;
	GPid pid;

	if (!start(command, &pid, fds, error))
		return -1;
	trouble = read_streams(fds, readers, deadline);
	if (trouble != NULL)
		kill(-pid, SIGKILL);
	for (gsize i = 0; i < STREAM_COUNT; i++)
		autofd_clear(&fds[i]);
	end = reap(pid, &status, deadline);
	if (trouble == NULL)
		trouble = end;
	if (trouble != NULL) {
		fail(command, trouble, error);
		return -1;
	}
	*ret_complaint = g_strndup(complaint->str, complaint->len);
	return status;
}

int
command_run(const struct command *command, char **ret_output,
    char **ret_complaint, GError **error)
{
	g_autoptr(GString) output = g_string_new(NULL);
	int status =
	    command_stream(command, take_text, output, ret_complaint, error);

	if (status >= 0)
		*ret_output = g_strndup(output->str, output->len);
	return status;
}

gboolean
command_failed(const struct command *command, const char *complaint,
    GError **error)
{
	g_autofree char *shown = printable(complaint, COMPLAINT_SHOWN);

	g_strstrip(shown);
	if (shown[0] == '\0')
		return fail(command, "fails", error);
	g_set_error(error, COMMAND_ERROR, COMMAND_ERROR_FAILED, "%s", shown);
	return FALSE;
}
