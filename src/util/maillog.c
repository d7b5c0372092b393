/* SPDX-License-Identifier: BSD-2-Clause */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "util/autofd.h"
#include "util/decimal.h"
#include "util/maillog.h"
#include "util/postlog.h"
#include "util/printable.h"
#include "util/unchanged.h"

/* As Postfix has it. */
#define NO_QUEUE_ID "NOQUEUE"

#define DEFAULT_TAG "postfix/smtproute"

/* Postfix's own queue ids have at most 18 characters. */
#define QUEUE_ID_MAX 64

/* Of a reason, which ends a verdict. */
#define REASON_MAX 200

static struct {
	char *log;  /* NULL: syslog(3) */
	char *name; /* NULL: DEFAULT_TAG */
	char queue_id[QUEUE_ID_MAX + 1];
	int file;                /* @log, -1: not open */
	struct stat opened;      /* what that is open for */
	struct postlog *postlog; /* NULL: not running */
	gboolean heard;          /* something takes what syslog(3) says */
	char *lost;              /* why the first line was; NULL: none was */
} maillog = {.queue_id = NO_QUEUE_ID, .file = -1};

static const char *
tag(void)
{
	return maillog.name != NULL ? maillog.name : DEFAULT_TAG;
}

static void
lose(const char *reason)
{
	if (maillog.lost == NULL)
		maillog.lost = printable(reason, REASON_MAX);
}

static void
lose_errno(const char *path, int error)
{
	g_autofree char *reason =
	    g_strdup_printf("%s: %s", path, g_strerror(error));

	lose(reason);
}

const char *
maillog_queue_id(void)
{
	return g_str_equal(maillog.queue_id, NO_QUEUE_ID) ? NULL
							  : maillog.queue_id;
}

void
maillog_set_queue_id(const char *queue_id)
{
	if (queue_id == NULL || *queue_id == '\0')
		queue_id = NO_QUEUE_ID;
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
	char pid[DECIMAL_SIZE];
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm) != NULL)
		strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &tm);
	if (gethostname(host, sizeof(host) - 1) == 0)
		host[strcspn(host, ".")] = '\0';
	g_string_append(line, stamp);
	g_string_append_c(line, ' ');
	g_string_append(line, host);
	g_string_append_c(line, ' ');
	g_string_append(line, tag());
	g_string_append_c(line, '[');
	g_string_append(line, decimal((guint64)getpid(), pid));
	g_string_append(line, "]: ");
}

/*
 * A link that leads elsewhere is not followed: who may write to the folder must
 * not choose what is written to.  FALSE: see errno.
 */
static gboolean
open_file(const char *path)
{
	/* Log rotation gives its name to another one. */
	if (maillog.file >= 0 && unchanged_name(&maillog.opened, path))
		return TRUE;
	autofd_clear(&maillog.file);
	/* A FIFO or terminal must not hold us up either. */
	maillog.file = open(path,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW |
		O_NONBLOCK,
	    0640);
	return maillog.file >= 0 && fstat(maillog.file, &maillog.opened) == 0;
}

/*
 * One write(2) a line in append mode, so that the lines of many processes do
 * not mix.
 */
static void
write_file(const char *path, const char *text)
{
	g_autoptr(GString) line = g_string_new(NULL);
	gssize count;

	if (!open_file(path)) {
		lose_errno(path, errno);
		return;
	}
	append_stamp(line);
	g_string_append(line, text);
	g_string_append_c(line, '\n');
	count = write(maillog.file, line->str, line->len);
	if (count == (gssize)line->len)
		return;
	lose_errno(path, count < 0 ? errno : ENOSPC);
	/* A FIFO may have another reader next time. */
	autofd_clear(&maillog.file);
}

static void
end_postlog(const char *otherwise)
{
	g_autofree char *complaint = postlog_end(maillog.postlog);

	maillog.postlog = NULL;
	if (complaint != NULL)
		lose(complaint);
	else if (otherwise != NULL)
		lose(otherwise);
}

void
maillog_open(const char *log, const char *name)
{
	g_clear_pointer(&maillog.lost, g_free);
	if (g_strcmp0(maillog.log, log) == 0 && g_str_equal(tag(), name))
		return;
	if (maillog.postlog != NULL)
		end_postlog(NULL);
	autofd_clear(&maillog.file);
	/* syslog(3) goes on to use the name. */
	closelog();
	g_free(maillog.log);
	g_free(maillog.name);
	maillog.log = g_strdup(log);
	maillog.name = g_strdup(name);
	if (log == NULL)
		openlog(tag(), LOG_PID, LOG_MAIL);
}

void
maillog_detach(void)
{
	/* The other process' own; they cannot be ended from here. */
	maillog.postlog = NULL;
	maillog.file = -1;
	maillog.heard = FALSE;
	g_clear_pointer(&maillog.lost, g_free);
}

static void
write_postlog(const char *text)
{
	g_autofree char *reason = NULL;

	if (maillog.postlog == NULL) {
		/* Not for each line anew. */
		if (maillog.lost != NULL)
			return;
		maillog.postlog = postlog_begin(tag(), &reason);
	}
	if (maillog.postlog == NULL)
		lose(reason);
	else if (!postlog_write(maillog.postlog, text))
		end_postlog("postlog: does not read");
}

/* syslog(3) itself does not say. */
int
maillog_try_syslog(void)
{
	const struct sockaddr_un name = {AF_UNIX, MAILLOG_SYSLOG};
	autofd fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 &&
	    connect(fd, (const struct sockaddr *)&name, sizeof(name)) == 0)
		return 0;
	/* A daemon with a stream socket, to which syslog(3) connects then. */
	return errno == EPROTOTYPE ? 0 : errno;
}

static void
write_syslog(int priority, const char *text)
{
	int error = maillog.heard ? 0 : maillog_try_syslog();

	maillog.heard = error == 0;
	if (error != 0)
		lose_errno(MAILLOG_SYSLOG, error);
	syslog(LOG_MAIL | priority, "%s", text);
}

static void
write_line(int priority, const char *text)
{
	if (maillog.log == NULL)
		write_syslog(priority, text);
	else if (strcmp(maillog.log, MAILLOG_POSTLOG) == 0)
		write_postlog(text);
	else
		write_file(maillog.log, text);
}

const char *
maillog_close(void)
{
	if (maillog.postlog != NULL)
		end_postlog(NULL);
	return maillog.lost;
}

static void G_GNUC_PRINTF(3, 0)
    put(int priority, const char *prefix, const char *format, va_list ap)
{
	g_autofree char *text = g_strdup_vprintf(format, ap);
	g_autofree char *clean = printable(text, MAILLOG_LINE_MAX);
	g_autoptr(GString) line = g_string_new(maillog.queue_id);

	g_string_append(line, ": ");
	g_string_append(line, prefix);
	g_string_append(line, clean);
	/*
	 * A host's words must not make a line look like one of Postfix's own:
	 * log analysers would count the message twice.
	 */
	g_string_replace(line, "status=", "status:", 0);
	write_line(priority, line->str);
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
	openlog(tag(), LOG_PID, LOG_MAIL);
	g_log_set_writer_func(write_glib, NULL, NULL);
}
