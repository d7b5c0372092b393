/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <fcntl.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "util/autofd.h"
#include "util/maillog.h"
#include "util/printable.h"

/* Postfix's own queue ids have at most 18 characters. */
#define QUEUE_ID_MAX 64

static struct {
	const char *path;
	const char *name;
	char queue_id[QUEUE_ID_MAX + 1];
} maillog = {NULL, "postfix/smtproute", "NOQUEUE"};

void
maillog_open(const char *path, const char *name)
{
	maillog.path = path;
	maillog.name = name;
	if (path == NULL)
		openlog(name, LOG_PID, LOG_MAIL);
}

void
maillog_set_queue_id(const char *queue_id)
{
	if (queue_id == NULL || *queue_id == '\0')
		queue_id = "NOQUEUE";
	g_strlcpy(maillog.queue_id, queue_id, sizeof(maillog.queue_id));
	g_strcanon(maillog.queue_id,
	    G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.", '?');
}

/* "Nov 22 09:15:07 gw1 postfix/smtproute[123]: ", as syslog daemons do. */
static void
append_stamp(GString *line)
{
	char host[256] = "localhost";
	char stamp[32] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm) != NULL)
		strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &tm);
	if (gethostname(host, sizeof(host) - 1) == 0)
		host[strcspn(host, ".")] = '\0';
	g_string_append_printf(line, "%s %s %s[%ld]: ", stamp, host,
	    maillog.name, (long)getpid());
}

/*
 * One write(2) a line in append mode, so that the lines of many processes do
 * not mix.
 */
static void
write_file(const char *text)
{
	g_autoptr(GString) line = g_string_new(NULL);
	autofd fd = -1;

	/* A FIFO or terminal must not hold us up either. */
	fd = open(maillog.path,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	    0640);
	if (fd < 0)
		return;
	append_stamp(line);
	g_string_append_printf(line, "%s\n", text);
	if (write(fd, line->str, line->len) < 0)
		return;
}

static void G_GNUC_PRINTF(3, 0)
    put(int priority, const char *prefix, const char *format, va_list ap)
{
	g_autofree char *text = g_strdup_vprintf(format, ap);
	g_autofree char *clean = printable(text, MAILLOG_LINE_MAX);
	g_autoptr(GString) line = g_string_new(NULL);

	g_string_printf(line, "%s: %s%s", maillog.queue_id, prefix, clean);
	/*
	 * A host's words must not make a line look like one of Postfix's own:
	 * log analysers would count the message twice.
	 */
	g_string_replace(line, "status=", "status:", 0);
	if (maillog.path != NULL)
		write_file(line->str);
	else
		syslog(LOG_MAIL | priority, "%s", line->str);
}

void
maillog_info(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	put(LOG_INFO, "", format, ap);
	va_end(ap);
}

void
maillog_warning(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	put(LOG_WARNING, "warning: ", format, ap);
	va_end(ap);
}

static GLogWriterOutput
write_glib(GLogLevelFlags level, const GLogField *fields, gsize n_fields,
    gpointer user_data)
{
	(void)user_data;
	if ((level & G_LOG_LEVEL_MASK) > G_LOG_LEVEL_WARNING)
		return G_LOG_WRITER_HANDLED;
	for (gsize i = 0; i < n_fields; i++)
		if (strcmp(fields[i].key, "MESSAGE") == 0)
			maillog_warning("%s", (const char *)fields[i].value);
	return G_LOG_WRITER_HANDLED;
}

void
maillog_take_glib(void)
{
	openlog(maillog.name, LOG_PID, LOG_MAIL);
	g_log_set_writer_func(write_glib, NULL, NULL);
}
