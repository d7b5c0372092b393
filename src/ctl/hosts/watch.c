/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/hosts/watch.h"

static volatile sig_atomic_t stopped;

/* As it was before: the signals come while we wait, and only then. */
static sigset_t waiting_mask;

/* Do we have the terminal's other screen? */
static gboolean on_screen;

/* As most terminals have it, where they do not say. */
#define HEIGHT 24

static struct winsize
terminal_size(void)
{
	struct winsize size = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return (struct winsize){0};
	return size;
}

guint
watch_width(guint most)
{
	guint columns = terminal_size().ws_col;

	/* Terminals that do not know say 0. */
	return columns == 0 ? most : MIN(columns, most);
}

static void
stop(int sig)
{
	if (sig != SIGWINCH)
		stopped = 1;
}

static void
hold_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGWINCH};
	const struct sigaction action = {.sa_handler = stop};
	sigset_t held;

	sigemptyset(&held);
	for (gsize i = 0; i < G_N_ELEMENTS(signals); i++)
		sigaddset(&held, signals[i]);
	sigprocmask(SIG_BLOCK, &held, &waiting_mask);
	for (gsize i = 0; i < G_N_ELEMENTS(signals); i++) {
		sigdelset(&waiting_mask, signals[i]);
		sigaction(signals[i], &action, NULL);
	}
}

/*
 * What all terminals do alike that are in use: xterm's private modes 1049, the
 * other screen, 25, the cursor, and 7, lines that go on in the next one, since
 * one that is too long would push others out.
 */
void
watch_begin(gboolean screen)
{
	const char *term = g_getenv("TERM");

	hold_signals();
	on_screen = screen && isatty(STDOUT_FILENO) && term != NULL &&
	    strcmp(term, "dumb") != 0;
	if (on_screen)
		say("\033[?1049h\033[?25l\033[?7l");
}

void
watch_end(void)
{
	if (on_screen)
		say("\033[?7h\033[?25h\033[?1049l");
	on_screen = FALSE;
}

/* ECMA-48: the cursor goes home, and behind each line the rest is erased. */
static void
say_screen(const char *head, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", 0);
	guint rows = terminal_size().ws_row;
	guint room = MAX(rows > 0 ? rows : HEIGHT, 4) - 3;
	guint count = g_strv_length(lines);

	say("\033[H%s\033[K\n\033[K\n", head);
	for (guint i = 0; i < MIN(count, room); i++)
		say("%s\033[K\n", lines[i]);
	say("\033[J");
	if (count > room + 1)
		say("... and %u more lines", count - room - 1);
}

static void
complain_of(const char *complaints)
{
	g_auto(GStrv) lines = g_strsplit(complaints, "\n", 0);

	for (gsize i = 0; lines[i] != NULL; i++) {
		if (lines[i][0] != '\0')
			complain("%s", lines[i]);
	}
}

void
watch_show(guint seconds, const char *complaints, const char *text)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	g_autofree char *time = g_date_time_format(now, "%F %T");
	g_autofree char *head =
	    g_strdup_printf("%s, every %u s", time, seconds);
	g_autofree char *all = g_strconcat(complaints, text, NULL);

	if (on_screen) {
		say_screen(head, all);
		return;
	}
	say("%s\n\n", head);
	complain_of(complaints);
	say("%s", text);
}

/* @span: NULL: as long as it takes.  FALSE: it is over. */
static gboolean
wait_for(short events, const struct timespec *span)
{
	struct pollfd fd = {.fd = STDOUT_FILENO, .events = events};

	/* Any other signal just makes the wait a shorter one. */
	return !(ppoll(&fd, 1, span, &waiting_mask) > 0 &&
		   (fd.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) &&
	    !stopped;
}

gboolean
watch_wait(guint seconds)
{
	const struct timespec span = {.tv_sec = seconds};

	return wait_for(0, &span) && wait_for(POLLOUT, NULL);
}
