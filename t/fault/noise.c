/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into the agent by surroundings.t: a library that prints to fd 1
 * and 2 while the program runs and when it ends, complains through GLib if
 * NOISE names a log level of g_log(3), and crashes at the end if NOISE_CRASH
 * is set.
 */

#define _GNU_SOURCE 1

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void
print(const char *line)
{
	printf("%s by stdio\n", line);
	fflush(stdout);
	fprintf(stderr, "%s by stdio\n", line);
	dprintf(STDOUT_FILENO, "%s by write(2)\n", line);
	dprintf(STDERR_FILENO, "%s by write(2)\n", line);
}

static void
complain(int level)
{
	void (*log)(const char *, int, const char *, ...);

	log = (__typeof__(log))dlsym(RTLD_DEFAULT, "g_log");
	log("noise", level, "noise through GLib");
}

/* Called by the agent once it is connected. */
int
getsockname(int fd, struct sockaddr *restrict address,
    socklen_t *restrict length)
{
	__typeof__(&getsockname) next = dlsym(RTLD_NEXT, "getsockname");
	const char *level = getenv("NOISE");

	print("noise amid the delivery");
	if (level != NULL)
		complain(atoi(level));
	return next(fd, address, length);
}

__attribute__((destructor)) static void
end(void)
{
	print("noise at the end");
	if (getenv("NOISE_CRASH") != NULL)
		abort();
}
