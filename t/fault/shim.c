/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into the agent by fault.t: makes one use of a libc call fail.
 *
 *	FAULT_CALL   which call; see the names below, each of which may stand
 *	             for several functions
 *	FAULT_AT     which use of it fails, from 1, counted from main() on
 *	FAULT_ERROR  with which errno; 0: the call is cut short after one byte
 *	FAULT_STAYS  if set, all later uses fail too
 *	FAULT_SAYS   a file that is made when it happens
 *	FAULT_BOOT   seconds by which CLOCK_BOOTTIME is ahead, without a
 *	             FAULT_CALL
 *	FAULT_DAY    the same for the time of day
 *	FAULT_CLOCK  a file with such a number, read whenever that is asked for:
 *	             who writes it sets the clock
 *	FAULT_PACE   by so much CLOCK_MONOTONIC, that of time-outs, is slower
 *
 * "crash" is the end of each use of the state, and crashes there; "stop" is
 * each read(2), and stops the process before it.
 *
 * Before main() libraries prepare themselves, and nothing that a program
 * does can change what comes of a failure there.
 */

#define _GNU_SOURCE 1

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static struct {
	bool armed;
	const char *call;
	long at;
	int error;
	bool stays;
	const char *says;
	long used;
	long boot;
	long day;
	const char *clock;
	long pace;
} plan;

/*
 * The function of this name that would be called without us, found without
 * any memory of ours: dlsym(3) needs none if it succeeds.
 */
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void
say(void)
{
	int fd = NEXT(open)(plan.says, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd >= 0)
		close(fd);
}

static bool
is_due(const char *call)
{
	long used;

	if (!plan.armed || strcmp(call, plan.call) != 0)
		return false;
	used = __atomic_add_fetch(&plan.used, 1, __ATOMIC_RELAXED);
	if (used != plan.at && !(plan.stays && used > plan.at))
		return false;
	if (used == plan.at)
		say();
	errno = plan.error;
	return true;
}

/* For calls that cannot be cut short. */
static bool
fails(const char *call)
{
	return is_due(call) && plan.error != 0;
}

/* For those that can; *length is what remains of the call. */
static bool
fails_or_shortens(const char *call, size_t *length)
{
	if (!is_due(call))
		return false;
	if (plan.error == 0 && *length > 1)
		*length = 1;
	return plan.error != 0;
}

/*
 * A blocking socket never says EAGAIN, and takes all of what is little: only
 * others count.
 */
static bool
send_fails(int fd, size_t *length)
{
	bool blocks = (NEXT(fcntl)(fd, F_GETFL) & O_NONBLOCK) == 0;

	if (blocks && (plan.error == EAGAIN || plan.error == 0))
		return false;
	return fails_or_shortens("send", length);
}

/* The verdict goes into a pipe. */
static bool
write_fails(int fd, size_t *length)
{
	struct stat st = {0};

	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
		return fails_or_shortens("report", length);
	return fails_or_shortens("write", length);
}

/* ---- memory ---- */

void *
malloc(size_t size)
{
	return fails("memory") ? NULL : NEXT(malloc)(size);
}

void *
calloc(size_t count, size_t size)
{
	return fails("memory") ? NULL : NEXT(calloc)(count, size);
}

void *
realloc(void *old, size_t size)
{
	return fails("memory") ? NULL : NEXT(realloc)(old, size);
}

int
posix_memalign(void **ret, size_t alignment, size_t size)
{
	return fails("memory") ? plan.error
			       : NEXT(posix_memalign)(ret, alignment, size);
}

void *
mmap(void *address, size_t length, int protection, int flags, int fd,
    off_t offset)
{
	if (fails("mmap"))
		return MAP_FAILED;
	return NEXT(mmap)(address, length, protection, flags, fd, offset);
}

/* ---- files ---- */

/* Three arguments always: O_CREAT or not, the third does no harm. */
static int
open_three(int (*next)(const char *, int, ...), const char *path, int flags,
    va_list ap)
{
	return fails("open") ? -1 : next(path, flags, va_arg(ap, mode_t));
}

#define OPEN(name)                                                             \
	int name(const char *path, int flags, ...)                             \
	{                                                                      \
		va_list ap;                                                    \
		int fd;                                                        \
                                                                               \
		va_start(ap, flags);                                           \
		fd = open_three(NEXT(name), path, flags, ap);                  \
		va_end(ap);                                                    \
		return fd;                                                     \
	}

OPEN(open)
OPEN(open64)

int
mkostemp(char *template, int flags)
{
	return fails("open") ? -1 : NEXT(mkostemp)(template, flags);
}

ssize_t
read(int fd, void *data, size_t length)
{
	if (is_due("stop"))
		raise(SIGSTOP);
	return fails_or_shortens("read", &length)
	    ? -1
	    : NEXT(read)(fd, data, length);
}

ssize_t
write(int fd, const void *data, size_t length)
{
	return write_fails(fd, &length) ? -1 : NEXT(write)(fd, data, length);
}

ssize_t
pread(int fd, void *data, size_t length, off_t offset)
{
	return fails_or_shortens("pread", &length)
	    ? -1
	    : NEXT(pread)(fd, data, length, offset);
}

ssize_t
pwrite(int fd, const void *data, size_t length, off_t offset)
{
	return fails_or_shortens("pwrite", &length)
	    ? -1
	    : NEXT(pwrite)(fd, data, length, offset);
}

/* Cut short, it writes the first byte only. */
ssize_t
writev(int fd, const struct iovec *parts, int count)
{
	size_t length = parts[0].iov_len;
	bool due = is_due("writev");

	if (due && plan.error != 0)
		return -1;
	return due && length > 0 ? NEXT(write)(fd, parts[0].iov_base, 1)
				 : NEXT(writev)(fd, parts, count);
}

int
ftruncate(int fd, off_t length)
{
	return fails("ftruncate") ? -1 : NEXT(ftruncate)(fd, length);
}

int
flock(int fd, int operation)
{
	if (operation == LOCK_UN && is_due("crash"))
		raise(SIGSEGV);
	return fails("flock") ? -1 : NEXT(flock)(fd, operation);
}

int
dup2(int from, int to)
{
	return fails("dup") ? -1 : NEXT(dup2)(from, to);
}

static const char *
fcntl_name(int command)
{
	return command == F_OFD_SETLK ? "lock" : "fcntl";
}

#define FCNTL(name)                                                            \
	int name(int fd, int command, ...)                                     \
	{                                                                      \
		va_list ap;                                                    \
		void *argument;                                                \
                                                                               \
		va_start(ap, command);                                         \
		argument = va_arg(ap, void *);                                 \
		va_end(ap);                                                    \
		if (fails(fcntl_name(command)))                                \
			return -1;                                             \
		return NEXT(name)(fd, command, argument);                      \
	}

FCNTL(fcntl)
FCNTL(fcntl64)

/* ---- sockets ---- */

int
bind(int fd, const struct sockaddr *address, socklen_t length)
{
	return fails("bind") ? -1 : NEXT(bind)(fd, address, length);
}

int
socket(int domain, int type, int protocol)
{
	return fails("socket") ? -1 : NEXT(socket)(domain, type, protocol);
}

/* EINTR leaves a connection under way. */
int
connect(int fd, const struct sockaddr *address, socklen_t length)
{
	if (!fails("connect"))
		return NEXT(connect)(fd, address, length);
	if (plan.error == EINTR)
		NEXT(connect)(fd, address, length);
	errno = plan.error;
	return -1;
}

int
poll(struct pollfd *fds, nfds_t count, int timeout)
{
	return fails("poll") ? -1 : NEXT(poll)(fds, count, timeout);
}

int
getsockname(int fd, struct sockaddr *restrict address,
    socklen_t *restrict length)
{
	return fails("getsockname") ? -1
				    : NEXT(getsockname)(fd, address, length);
}

ssize_t
send(int fd, const void *data, size_t length, int flags)
{
	return send_fails(fd, &length) ? -1
				       : NEXT(send)(fd, data, length, flags);
}

ssize_t
recv(int fd, void *data, size_t length, int flags)
{
	return fails_or_shortens("recv", &length)
	    ? -1
	    : NEXT(recv)(fd, data, length, flags);
}

/* ---- time ---- */

/* By how much the time of day is ahead just now. */
static long
day_ahead(void)
{
	char text[32] = "";
	int fd;

	if (plan.clock == NULL)
		return plan.day;
	fd = NEXT(open)(plan.clock, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || NEXT(read)(fd, text, sizeof(text) - 1) < 0)
		abort();
	close(fd);
	return atol(text);
}

static void
slow_down(struct timespec *now)
{
	long long nanoseconds =
	    (now->tv_sec * 1000000000LL + now->tv_nsec) / plan.pace;

	now->tv_sec = nanoseconds / 1000000000;
	now->tv_nsec = nanoseconds % 1000000000;
}

int
clock_gettime(clockid_t id, struct timespec *now)
{
	int result = NEXT(clock_gettime)(id, now);

	if (result == 0 && id == CLOCK_MONOTONIC && plan.pace > 1)
		slow_down(now);
	if (result == 0 && id == CLOCK_BOOTTIME)
		now->tv_sec += plan.boot;
	if (result == 0 && id == CLOCK_REALTIME)
		now->tv_sec += day_ahead();
	return result;
}

int
gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	int result = NEXT(gettimeofday)(now, zone);

	if (result == 0)
		now->tv_sec += day_ahead();
	return result;
}

/* ---- main() ---- */

typedef int
main_function(int, char **, char **);
typedef int
start_function(main_function *, int, char **, void (*)(void), void (*)(void),
    void (*)(void), void *);

static main_function *real_main;

/* 0: it is not set. */
static long
number_of(const char *name)
{
	const char *value = getenv(name);

	return value != NULL ? atol(value) : 0;
}

static int
armed_main(int argc, char **argv, char **environment)
{
	plan.call = getenv("FAULT_CALL");
	plan.at = number_of("FAULT_AT");
	plan.error = (int)number_of("FAULT_ERROR");
	plan.stays = getenv("FAULT_STAYS") != NULL;
	plan.says = getenv("FAULT_SAYS");
	plan.boot = number_of("FAULT_BOOT");
	plan.day = number_of("FAULT_DAY");
	plan.clock = getenv("FAULT_CLOCK");
	plan.pace = number_of("FAULT_PACE");
	plan.armed = plan.call != NULL;
	return real_main(argc, argv, environment);
}

start_function __libc_start_main;

int
__libc_start_main(main_function *main, int argc, char **argv,
    void (*init)(void), void (*fini)(void), void (*rtld_fini)(void),
    void *stack)
{
	start_function *next = NEXT(__libc_start_main);

	real_main = main;
	return next(armed_main, argc, argv, init, fini, rtld_fini, stack);
}
