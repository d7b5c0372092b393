/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Postfix reads a texthash table when its daemon starts, and an indexed one
 * anew when postmap(1) has made it; the agent reads its map for each message.
 * A key that only the agent knows is one whose mail leaves by another way.
 */
#include <config.h>

#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ctl/check/check-stale.h"
#include "ctl/postconf.h"

/* Fields of /proc/PID/stat (proc(5)), counted from the state, the third. */
#define STAT_PARENT 1
#define STAT_START  19

/* In microseconds since boot. */
static gint64
boot_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static gint64
changed_at(const struct stat *st)
{
	gint64 real =
	    st->st_mtim.tv_sec * G_USEC_PER_SEC + st->st_mtim.tv_nsec / 1000;

	return real - (g_get_real_time() - boot_time());
}

/* 0: not running, or not for us to know. */
static guint64
master_pid(void)
{
	g_autofree char *queue =
	    postconf_value(NULL, "queue_directory", TRUE, NULL);
	g_autofree char *path = NULL;
	g_autofree char *text = NULL;
	guint64 pid = 0;

	if (queue == NULL)
		return 0;
	path = g_build_filename(queue, "pid", "master.pid", NULL);
	if (!g_file_get_contents(path, &text, NULL, NULL))
		return 0;
	g_ascii_string_to_unsigned(g_strstrip(text), 10, 2, G_MAXINT32, &pid,
	    NULL);
	return pid;
}

/*
 * When the process began, in microseconds since boot, if it is called @name
 * and a child of @parent; 0 if not.
 */
static gint64
child_began(const char *pid, const char *name, guint64 parent)
{
	g_autofree char *path = g_build_filename("/proc", pid, "stat", NULL);
	g_autofree char *head = g_strdup_printf("(%s)", name);
	g_autofree char *text = NULL;
	g_auto(GStrv) fields = NULL;
	const char *at;
	guint64 found;
	guint64 ticks;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return 0;
	at = strstr(text, head);
	if (at == NULL)
		return 0;
	fields = g_strsplit(at + strlen(head) + 1, " ", STAT_START + 2);
	if (g_strv_length(fields) < STAT_START + 2 ||
	    !g_ascii_string_to_unsigned(fields[STAT_PARENT], 10, 0, G_MAXINT32,
		&found, NULL) ||
	    found != parent ||
	    !g_ascii_string_to_unsigned(fields[STAT_START], 10, 1, G_MAXINT64,
		&ticks, NULL))
		return 0;
	return (gint64)ticks * (G_USEC_PER_SEC / sysconf(_SC_CLK_TCK));
}

/* The oldest of master(8)'s children with this name; 0: none runs. */
static gint64
oldest_began(const char *name, guint64 parent)
{
	GDir *dir = g_dir_open("/proc", 0, NULL);
	gint64 oldest = 0;
	const char *pid;

	while (dir != NULL && (pid = g_dir_read_name(dir)) != NULL) {
		gint64 began = g_ascii_isdigit(pid[0])
		    ? child_began(pid, name, parent)
		    : 0;

		if (began > 0 && (oldest == 0 || began < oldest))
			oldest = began;
	}
	if (dir != NULL)
		g_dir_close(dir);
	return oldest;
}

static void
check_daemon(struct check *check, const char *path, const char *daemon)
{
	guint64 master = master_pid();
	gint64 began = master != 0 ? oldest_began(daemon, master) : 0;
	struct stat st;

	if (began == 0 || stat(path, &st) < 0 || changed_at(&st) <= began)
		return;
	finding(&check->findings, SEVERITY_WARNING, path,
	    "changed since Postfix's %s has read it, so that keys which came "
	    "or went are not yet in effect; expected postfix reload",
	    daemon);
}

static void
check_index(struct check *check, const char *type, const char *path,
    const char *suffix)
{
	g_autofree char *index = g_strconcat(path, suffix, NULL);
	struct stat text;
	struct stat made;

	if (stat(path, &text) < 0)
		return;
	if (stat(index, &made) < 0)
		finding(&check->findings, SEVERITY_ERROR, index,
		    "is not there; expected postmap %s:%s to make it", type,
		    path);
	else if (changed_at(&text) > changed_at(&made))
		finding(&check->findings, SEVERITY_WARNING, index,
		    "is older than %s; expected postmap %s:%s, without which "
		    "the change is not in effect",
		    path, type, path);
}

void
check_stale(struct check *check, const char *map)
{
	static const struct {
		const char *type;
		const char *suffix;
	} indexed[] = {{"lmdb", ".lmdb"}, {"hash", ".db"}, {"btree", ".db"},
	    {"cdb", ".cdb"}};
	gboolean proxied = g_str_has_prefix(map, "proxy:");
	g_auto(GStrv) parts =
	    g_strsplit(proxied ? map + strlen("proxy:") : map, ":", 2);

	if (parts[0] == NULL || parts[1] == NULL || parts[1][0] != '/')
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(indexed); i++) {
		if (strcmp(parts[0], indexed[i].type) == 0)
			check_index(check, parts[0], parts[1],
			    indexed[i].suffix);
	}
	if (strcmp(parts[0], "texthash") == 0)
		check_daemon(check, parts[1],
		    proxied ? "proxymap" : "trivial-rewrite");
}
