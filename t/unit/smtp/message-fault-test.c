/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages that cannot be read to their end, or not be kept.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <glib.h>

#include "smtp/message.h"
#include "util/autofd.h"
#include "util/deadline.h"

/* One line of this length without its end is all that fits into memory. */
#define MEMORY_FULL (MESSAGE_MEMORY_MAX - strlen("\r\n.\r\n"))

#define FOREVER (deadline_in(G_TIME_SPAN_MINUTE * 10))

/* The spool directory of all tests, which must be empty at their end. */
struct spool {
	char *directory;
};

static int
file_with(const char *data, gsize length)
{
	int fd = memfd_create("message-test", MFD_CLOEXEC);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(write(fd, data, length), ==, length);
	g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
	return fd;
}

static void
assert_spool_fails(const char *directory, gsize length, const char *what)
{
	g_autofree char *input = g_strnfill(length, 'x');
	g_autofree char *text =
	    g_strdup_printf("spool file in %s: %s", directory, what);
	g_autoptr(GError) error = NULL;
	autofd fd = file_with(input, length);

	g_assert_null(message_read(fd, directory, FOREVER, &error));
	g_assert_error(error, MESSAGE_ERROR, MESSAGE_ERROR_SPOOL);
	g_assert_cmpstr(error->message, ==, text);
}

/* The directory is not asked for what fits into memory. */
static void
test_spool_missing(gconstpointer data)
{
	const struct spool *spool = data;
	g_autofree char *missing =
	    g_build_filename(spool->directory, "missing", NULL);
	g_autofree char *input = g_strnfill(MEMORY_FULL, 'x');
	g_autoptr(GError) error = NULL;
	autofd fd = file_with(input, MEMORY_FULL);
	g_autoptr(Message) message = message_read(fd, missing, FOREVER, &error);

	g_assert_no_error(error);
	g_assert_nonnull(message);
	assert_spool_fails(missing, MEMORY_FULL + 1, g_strerror(ENOENT));
	assert_spool_fails(missing, MEMORY_FULL * 4, g_strerror(ENOENT));
}

static void
test_spool_full(gconstpointer data)
{
	static const rlim_t limits[] = {0, 1, MESSAGE_MEMORY_MAX,
	    MESSAGE_MEMORY_MAX + 4096, MESSAGE_MEMORY_MAX * 4};
	const struct spool *spool = data;
	struct rlimit before, now;

	g_assert_no_errno(getrlimit(RLIMIT_FSIZE, &before));
	for (gsize i = 0; i < G_N_ELEMENTS(limits); i++) {
		g_autofree char *input =
		    g_strnfill(MESSAGE_MEMORY_MAX * 4, 'x');
		autofd fd = file_with(input, strlen(input));
		g_autoptr(GError) error = NULL;

		now = before;
		now.rlim_cur = limits[i];
		g_assert_no_errno(setrlimit(RLIMIT_FSIZE, &now));
		g_assert_null(
		    message_read(fd, spool->directory, FOREVER, &error));
		g_assert_no_errno(setrlimit(RLIMIT_FSIZE, &before));
		g_assert_error(error, MESSAGE_ERROR, MESSAGE_ERROR_SPOOL);
		g_assert_nonnull(strstr(error->message, g_strerror(EFBIG)));
	}
}

/* The file has no name, and one that loses its content is noticed. */
static void
test_spool_cut_short(gconstpointer data)
{
	const struct spool *spool = data;
	g_autofree char *input = g_strnfill(MESSAGE_MEMORY_MAX * 2, 'x');
	autofd fd = file_with(input, strlen(input));
	g_autoptr(GError) error = NULL;
	g_autoptr(Message) message = NULL;
	const char *piece = NULL;
	struct stat st;
	gsize length = 0;
	int file = dup(fd);

	/* the file takes the lowest free descriptor, which is this one */
	g_assert_no_errno(close(file));
	message = message_read(fd, spool->directory, FOREVER, &error);
	g_assert_no_error(error);
	g_assert_no_errno(fstat(file, &st));
	g_assert_true(S_ISREG(st.st_mode));
	g_assert_cmpuint(st.st_mode & 07777, ==, 0600);
	g_assert_cmpuint(st.st_nlink, ==, 0);
	g_assert_cmpuint(st.st_size, ==, message_wire_length(message));
	g_assert_cmpint(fcntl(file, F_GETFD), ==, FD_CLOEXEC);

	g_assert_no_errno(ftruncate(file, MESSAGE_MEMORY_MAX));
	g_assert_false(message_piece(message, MESSAGE_MEMORY_MAX, &piece,
	    &length, &error));
	g_assert_error(error, MESSAGE_ERROR, MESSAGE_ERROR_SPOOL);
	g_assert_null(piece);
	g_assert_cmpuint(length, ==, 0);
}

static void
assert_read_fails(int fd, gint64 deadline, const char *what)
{
	g_autofree char *text =
	    g_strdup_printf("reading the message: %s", what);
	g_autoptr(GError) error = NULL;

	g_assert_null(message_read(fd, "/", deadline, &error));
	g_assert_error(error, MESSAGE_ERROR, MESSAGE_ERROR_INPUT);
	g_assert_cmpstr(error->message, ==, text);
}

static void
test_read_errors(void)
{
	autofd directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int closed = dup(directory);

	g_assert_cmpint(closed, >=, 0);
	g_assert_no_errno(close(closed));
	assert_read_fails(directory, FOREVER, g_strerror(EISDIR));
	assert_read_fails(closed, FOREVER, g_strerror(EBADF));
}

static void
test_deadline(void)
{
	autofd endless = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	autofd reader = -1;
	autofd writer = -1;
	int ends[2];

	g_assert_no_errno(pipe2(ends, O_CLOEXEC));
	reader = ends[0];
	writer = ends[1];
	assert_read_fails(reader, deadline_in(0), "timed out");
	assert_read_fails(reader, deadline_in(1000), "timed out");
	g_assert_cmpint(write(writer, "begun", 5), ==, 5);
	assert_read_fails(reader, deadline_in(1000), "timed out");
	assert_read_fails(endless, deadline_in(0), "timed out");
}

int
main(int argc, char **argv)
{
	struct spool spool;
	int status;

	g_test_init(&argc, &argv, NULL);
	signal(SIGXFSZ, SIG_IGN);
	spool.directory = g_dir_make_tmp("message-test-XXXXXX", NULL);
	g_assert_nonnull(spool.directory);

	g_test_add_data_func("/spool/missing", &spool, test_spool_missing);
	g_test_add_data_func("/spool/full", &spool, test_spool_full);
	g_test_add_data_func("/spool/cut", &spool, test_spool_cut_short);
	g_test_add_func("/read/errors", test_read_errors);
	g_test_add_func("/read/deadline", test_deadline);
	status = g_test_run();

	/* fails if a spool file is left */
	g_assert_no_errno(rmdir(spool.directory));
	g_free(spool.directory);
	return status;
}
