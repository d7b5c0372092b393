/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "ctl/command.h"
#include "ctl/progress.h"
#include "ctl/queue/flush.h"

/* One takes some 3 ms, most of them in waiting for flush(8). */
#define AT_ONCE 8

struct work {
	const GPtrArray *ids;
	GMutex mutex; /* of what follows */
	guint next;   /* of the ids */
	guint done;
	GError *error; /* of the first that failed */
};

static gboolean
try_one(const char *id, GError **error)
{
	const char *const argv[] = {"postqueue", "-i", id, NULL};
	const struct command command = {.argv = argv};
	g_autofree char *output = NULL;
	g_autofree char *complaint = NULL;
	int status = command_run(&command, &output, &complaint, error);

	if (status > 0)
		return command_failed(&command, complaint, error);
	return status == 0;
}

/* NULL: there is no more, or more would fail as well. */
static const char *
next_id(struct work *work)
{
	const char *id = NULL;

	g_mutex_lock(&work->mutex);
	if (work->error == NULL && work->next < work->ids->len)
		id = work->ids->pdata[work->next++];
	g_mutex_unlock(&work->mutex);
	return id;
}

static void
note(struct work *work, GError *error)
{
	g_mutex_lock(&work->mutex);
	if (error == NULL)
		progress_say(++work->done, "messages");
	else if (work->error == NULL)
		work->error = error;
	else
		g_error_free(error);
	g_mutex_unlock(&work->mutex);
}

/* In each of several threads. */
static gpointer
take(gpointer data)
{
	struct work *work = data;
	const char *id;

	while ((id = next_id(work)) != NULL) {
		GError *error = NULL;

		try_one(id, &error);
		note(work, error);
	}
	return NULL;
}

guint
flush_all(const GPtrArray *ids, GError **error)
{
	struct work work = {.ids = ids};
	GThread *threads[AT_ONCE - 1] = {NULL};

	g_mutex_init(&work.mutex);
	for (guint i = 0; i < G_N_ELEMENTS(threads) && i + 1 < ids->len; i++)
		threads[i] = g_thread_try_new("flush", take, &work, NULL);
	/* One of them, and all that there is if no other can be made. */
	take(&work);
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		if (threads[i] != NULL)
			g_thread_join(threads[i]);
	progress_clear();
	g_mutex_clear(&work.mutex);
	if (work.error != NULL)
		g_propagate_error(error, work.error);
	return work.done;
}
