/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * measure input output command...
 *
 * Runs the command as pipe(8) does, stdin from a file and both outputs into
 * one, and prints: exit status (256 + signal), wall time and CPU time in
 * microseconds, maximum resident set in KiB.
 *
 * A small program of its own, because times() in Perl counts in hundredths
 * of a second, and because the resident set of a process begins with that of
 * the process that forked it.
 */
#include <config.h>

#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t
microseconds(const struct timeval *tv)
{
	return (int64_t)tv->tv_sec * 1000000 + tv->tv_usec;
}

static void
run(const char *input, const char *output, char **command)
{
	int in = open(input, O_RDONLY);
	int out = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (in < 0 || dup2(in, STDIN_FILENO) < 0)
		err(1, "%s", input);
	if (out < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(out, STDERR_FILENO) < 0)
		err(1, "%s", output);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* ends with us */
	close(in);
	close(out);
	execv(command[0], command);
	err(127, "%s", command[0]);
}

int
main(int argc, char **argv)
{
	struct rusage usage;
	int64_t begin, end;
	int status;
	pid_t pid;

	if (argc < 4)
		errx(1, "usage: measure input output command...");
	begin = now();
	pid = fork();
	if (pid == 0)
		run(argv[1], argv[2], argv + 3);
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0)
		err(1, "%s", argv[3]);
	end = now();
	printf("%d %" PRId64 " %" PRId64 " %ld\n",
	    WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status),
	    end - begin,
	    microseconds(&usage.ru_utime) + microseconds(&usage.ru_stime),
	    usage.ru_maxrss);
	return 0;
}
