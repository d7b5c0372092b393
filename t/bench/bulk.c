/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bulk port MiB
 *
 * Sends one message of that size to 127.0.0.1 as fast as write(2) can.
 */
#include <config.h>

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE  64
#define BLOCK (64 * 1024)

static int
dial(in_port_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0)
		err(1, "connect");
	return fd;
}

static void
send_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, data, length);

		if (written < 0)
			err(1, "write");
		data += written;
		length -= (size_t)written;
	}
}

/* A reply comes in one piece from the sink, and is the only one under way. */
static void
expect_reply(int fd, char first)
{
	char reply[1024];

	if (read(fd, reply, sizeof(reply)) <= 0 || reply[0] != first)
		errx(1, "unexpected reply");
}

static void
command(int fd, const char *line, char first)
{
	send_all(fd, line, strlen(line));
	expect_reply(fd, first);
}

static void
fill(char block[BLOCK])
{
	memset(block, 'x', BLOCK);
	for (size_t i = LINE; i <= BLOCK; i += LINE)
		memcpy(block + i - 2, "\r\n", 2);
}

int
main(int argc, char **argv)
{
	static char block[BLOCK];
	int fd;

	if (argc != 3)
		errx(1, "usage: bulk port MiB");
	fill(block);
	fd = dial((in_port_t)atoi(argv[1]));
	expect_reply(fd, '2');
	command(fd, "EHLO bench.invalid\r\n", '2');
	command(fd, "MAIL FROM:<a@bench.invalid>\r\n", '2');
	command(fd, "RCPT TO:<b@bench.invalid>\r\n", '2');
	command(fd, "DATA\r\n", '3');
	for (long i = atol(argv[2]) * (1024 * 1024 / BLOCK); i > 0; i--)
		send_all(fd, block, BLOCK);
	command(fd, ".\r\n", '2');
	command(fd, "QUIT\r\n", '2');
	close(fd);
	return 0;
}
