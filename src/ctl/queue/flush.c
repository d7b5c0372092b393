/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include "ctl/command.h"
#include "ctl/progress.h"
#include "ctl/queue/flush.h"

/* One takes some 3 ms, most of them in waiting for flush(8). */
#define AT_ONCE 8

struct work {
	GMutex mutex;
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

/* In one of several threads. */
static void
take(gpointer id, gpointer data)
{
	struct work *work = data;
	g_autoptr(GError) error = NULL;
	gboolean over;

	g_mutex_lock(&work->mutex);
	over = work->error != NULL;
	g_mutex_unlock(&work->mutex);
	if (over)
		return;
	try_one(id, &error);
	g_mutex_lock(&work->mutex);
	if (error == NULL)
		progress_say(++work->done, "messages");
	else if (work->error == NULL)
		work->error = g_steal_pointer(&error);
	g_mutex_unlock(&work->mutex);
}

guint
flush_all(const GPtrArray *ids, GError **error)
{
	struct work work = {0};
	GThreadPool *pool;

	g_mutex_init(&work.mutex);
	pool = g_thread_pool_new(take, &work, AT_ONCE, FALSE, NULL);
	for (guint i = 0; i < ids->len; i++)
		g_thread_pool_push(pool, ids->pdata[i], NULL);
	g_thread_pool_free(pool, FALSE, TRUE);
	progress_clear();
	g_mutex_clear(&work.mutex);
	if (work.error != NULL)
		g_propagate_error(error, work.error);
	return work.done;
}
