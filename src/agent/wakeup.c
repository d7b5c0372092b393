/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/limits.h"
#include "agent/wakeup.h"
#include "hosts/deferred.h"
#include "util/guard.h"
#include "util/maillog.h"

/* A hundred messages take some 0.3 s. */
#define SECONDS 120

/* Whoever is killed amid this loses no more than so many calls. */
#define BATCH 10

/* The folders that Postfix's commands are in; pipe(8) has no sbin. */
#define COMMAND_PATH                                                           \
	"/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"

#define POSTQUEUE "postqueue"

/* For messages whose deferral Postfix has not heard of yet. */
#define YOUNG_PAUSE (DEFERRED_AGE_MIN / 2)
#define YOUNG_TRIES 4

struct wakeup
wakeup_of(const struct settings *settings, const char *queue_id)
{
	gboolean known = queue_id != NULL && deferred_is_id(queue_id);

	return (struct wakeup){
	    .queue_id = known && settings->wake == ANSWER_YES ? queue_id : NULL,
	};
}

void
wakeup_add(struct wakeup *wakeup, GPtrArray *calls)
{
	if (wakeup->calls == NULL)
		wakeup->calls = calls;
	else if (calls != NULL)
		g_ptr_array_extend_and_steal(wakeup->calls, calls);
}

void
wakeup_clear(struct wakeup *wakeup)
{
	g_clear_pointer(&wakeup->calls, g_ptr_array_unref);
}

char *
wakeup_find_postqueue(void)
{
	g_auto(GStrv) folders = g_strsplit(COMMAND_PATH, ":", -1);

	for (gsize i = 0; folders[i] != NULL; i++) {
		char *path = g_build_filename(folders[i], POSTQUEUE, NULL);

		if (access(path, X_OK) == 0)
			return path;
		g_free(path);
	}
	return NULL;
}

/* NULL, or why it could not be done, a new string. */
static char *
run_postqueue(const char *id)
{
	const char *argv[] = {POSTQUEUE, "-i", id, NULL};
	pid_t pid;
	int status;
	int code = posix_spawnp(&pid, argv[0], NULL, NULL,
	    (char **)(guintptr)argv, environ);

	if (code != 0)
		return g_strdup(g_strerror(code));
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return g_strdup(g_strerror(errno));
	}
	if (!WIFEXITED(status))
		return g_strdup_printf("signal %d", WTERMSIG(status));
	return WEXITSTATUS(status) == 0
	    ? NULL
	    : g_strdup_printf("exit status %d", WEXITSTATUS(status));
}

/* FALSE: it does not work, and more would not either. */
static gboolean
wake(struct hoststate *state, const char *id)
{
	g_autofree char *trouble = run_postqueue(id);

	if (trouble == NULL)
		return TRUE;
	if (hoststate_is_news(state, "wake"))
		maillog_warning("wake: postqueue -i %s: %s; mail that waits "
				"for a host is tried in Postfix's time only",
		    id, trouble);
	return FALSE;
}

static gboolean
wake_all(struct hoststate *state, const GPtrArray *ids)
{
	for (guint i = 0; i < ids->len; i++) {
		if (!wake(state, g_ptr_array_index(ids, i)))
			return FALSE;
	}
	return TRUE;
}

/* Those that wait for one host.  FALSE: it does not work. */
static gboolean
answer_call(struct hoststate *state, const struct call *call)
{
	guint left = call->count;
	guint tries = 0;

	while (left > 0 && tries < YOUNG_TRIES) {
		g_autoptr(GPtrArray) ids =
		    g_ptr_array_new_with_free_func(g_free);
		gboolean young =
		    hoststate_take_deferred(state, call, MIN(left, BATCH), ids);

		if (!wake_all(state, ids))
			return FALSE;
		left -= ids->len;
		if (ids->len > 0)
			continue;
		if (!young)
			break;
		g_usleep(YOUNG_PAUSE);
		tries++;
	}
	return TRUE;
}

struct work {
	const struct wakeup *wakeup;
	const struct settings *settings;
};

/* For guard_detach(). */
static void
answer_calls(void *data)
{
	const struct work *work = data;
	const struct health_limits limits = limits_health(work->settings);
	const GPtrArray *calls = work->wakeup->calls;
	g_autoptr(Hoststate) state =
	    hoststate_new(work->settings->state_directory, &limits);

	maillog_detach();
	g_setenv("PATH", COMMAND_PATH, TRUE);
	for (guint i = 0; i < calls->len; i++) {
		if (!answer_call(state, g_ptr_array_index(calls, i)))
			return;
	}
}

void
wakeup_start(const struct wakeup *wakeup, const struct settings *settings)
{
	struct work work = {wakeup, settings};

	if (wakeup->calls != NULL && settings->wake == ANSWER_YES)
		guard_detach(answer_calls, &work, SECONDS);
}

void
wakeup_due(const struct settings *settings)
{
	const struct health_limits limits = limits_health(settings);
	g_autoptr(Hoststate) state =
	    hoststate_new(settings->state_directory, &limits);
	struct wakeup wakeup = {0};

	hoststate_look_due(state);
	wakeup_add(&wakeup, hoststate_take_calls(state));
	wakeup_start(&wakeup, settings);
	wakeup_clear(&wakeup);
}
