/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/sight.h"
#include "util/room.h"

/* What is shown may be old: nothing new can be remembered.  TRUE: it can. */
static gboolean
check_room(const char *folder)
{
	const char *trouble = room_trouble(folder);

	if (trouble != NULL)
		complain("%s: %s; nothing new is remembered of hosts", folder,
		    trouble);
	return trouble == NULL;
}

/*
 * Are we the agent, or root who could not become one?  Who else may read the
 * state, as a monitoring system, says of the folder's owner what its mode does.
 */
static gboolean
is_agent(const char *folder, gboolean root, gboolean *ret_writable)
{
	struct stat st;

	*ret_writable =
	    faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0;
	if (root || *ret_writable || stat(folder, &st) < 0 ||
	    st.st_uid == geteuid())
		return TRUE;
	*ret_writable =
	    (st.st_mode & (S_IWUSR | S_IXUSR)) == (S_IWUSR | S_IXUSR);
	return FALSE;
}

struct sight *
sight_new(const struct ctl *ctl, const struct settings *settings,
    GBytes *before, hostlist_visit *visit, void *data)
{
	const char *folder = settings->state_directory;
	g_autoptr(Sight) sight = g_new0(struct sight, 1);
	gboolean root = geteuid() == 0;
	gboolean writable;

	/* The map first: the agent may read it by a group that we lose. */
	sight->list = hostlist_new(settings, before, visit, data);
	sight->usable = check_room(folder);
	if (!ctl_become_agent(ctl, settings))
		return NULL;
	/* As the agent, whose files are in there. */
	sight->agent = is_agent(folder, root, &writable);
	sight->usable = sight->usable && writable;
	if (!hostlist_add_state(sight->list, settings, &sight->error))
		sight->usable = FALSE;
	return g_steal_pointer(&sight);
}

gboolean
sight_has_memory(const struct sight *sight)
{
	const GPtrArray *rows = sight->list->rows;

	for (guint i = 0; i < rows->len; i++) {
		const struct hostrow *row = g_ptr_array_index(rows, i);

		if (row->remembered)
			return TRUE;
	}
	return FALSE;
}

GPtrArray *
sight_rows(const struct sight *sight, gboolean all, guint *ret_strangers)
{
	const GPtrArray *rows = sight->list->rows;
	GPtrArray *shown = g_ptr_array_new();
	gint64 now = g_get_real_time();

	*ret_strangers = 0;
	for (guint i = 0; i < rows->len; i++) {
		struct hostrow *row = g_ptr_array_index(rows, i);

		if (!all && hostrow_is_stranger(row))
			(*ret_strangers)++;
		else if (!hostrow_is_gone(row, now))
			g_ptr_array_add(shown, row);
	}
	return shown;
}

void
sight_forget_gone(const struct sight *sight, const struct settings *settings)
{
	const GPtrArray *rows = sight->list->rows;
	gint64 now = g_get_real_time();
	gboolean changed;

	for (guint i = 0; i < rows->len; i++) {
		const struct hostrow *row = g_ptr_array_index(rows, i);

		if (hostrow_is_gone(row, now) &&
		    !hosttable_order(settings->state_directory, row->known.name,
			row->known.port, HOSTTABLE_FORGET, &changed, NULL))
			return;
	}
}

const char *
sight_trouble(const struct sight *sight)
{
	if (!sight->usable)
		return "nothing new is remembered of hosts";
	return sight->list->complete ? NULL : "the route map has faults";
}

void
sight_free(struct sight *sight)
{
	hostlist_free(sight->list);
	g_clear_error(&sight->error);
	g_free(sight);
}
