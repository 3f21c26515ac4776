/* SPDX-License-Identifier: MIT */
/*
 * A Redis stream over a unix socket; a batch is one pipeline of XADD.
 *
 * The server is started here and ends with this program. Rows are named after
 * the append-only file: "off" for none, else its appendfsync. The program
 * redis-server is redis-check-rdb of the package redis-tools under another
 * name, so no package that starts a service is needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "peer.h"

static pid_t server;
static redisContext *redis;
static redisReply *entries_read;
static uint64_t next;
static const char *const modes[] = { "off", "everysec", "always" };

static void run_server(const char *dir, const char *mode)
{
	bool aof = strcmp(mode, "off");
	const char *const argv[] = {
		"redis-server",
		"--port",
		"0",
		"--unixsocket",
		"socket", /* in its --dir */
		"--dir",
		dir,
		"--save",
		"",
		"--appendonly",
		aof ? "yes" : "no",
		"--appendfsync",
		aof ? mode : "no",
		"--logfile",
		"redis.log",
		NULL,
	};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execvp("redis-server", (char **)argv);
	execvp("redis-check-rdb", (char **)argv);
	die("redis-server", errno);
}

static void connect_server(const char *socket)
{
	for (int i = 0; i < 1000; i++) {
		redis = redisConnectUnix(socket);
		if (redis && !redis->err)
			return;
		redisFree(redis);
		usleep(5000);
	}
	die("cannot reach redis-server", 0);
}

static void open_redis(const struct peer *self, const struct setup *setup)
{
	char socket[40];
	int dir =
		(int)must_call(open(setup->dir, O_DIRECTORY | O_PATH), "open");

	/* Paths of sockets are short; this one is, wherever the directory. */
	snprintf(socket, sizeof(socket), "/proc/self/fd/%d/socket", dir);
	fflush(stdout);
	server = (pid_t)must_call(fork(), "fork");
	if (!server)
		run_server(setup->dir, modes[self->flags]);
	connect_server(socket);
	close(dir);
}

static redisReply *take_reply(void)
{
	redisReply *reply;

	if (redisGetReply(redis, (void **)&reply) != REDIS_OK)
		die("redis", errno);
	if (reply->type == REDIS_REPLY_ERROR)
		die(reply->str, 0);
	return reply;
}

/* The id of entry i is i + 1: 0-0 is none. */
static void append(const struct maplog_entry *entries, unsigned n)
{
	char id[24];

	for (unsigned i = 0; i < n; i++) {
		const char *argv[] = { "XADD", "log", id, "d",
				       entries[i].data };
		size_t bytes[] = { 4, 3, 0, 1, entries[i].bytes };

		bytes[2] = (size_t)snprintf(id, sizeof(id), "%lu-0", ++next);
		redisAppendCommandArgv(redis, 5, argv, bytes);
	}
	for (unsigned i = 0; i < n; i++)
		freeReplyObject(take_reply());
}

/* A reply is a list of [id, ["d", data]]. */
static const redisReply *data_of(const redisReply *reply, unsigned i)
{
	if (reply->elements <= i || reply->element[i]->elements != 2 ||
	    reply->element[i]->element[1]->elements != 2)
		die("redis sent something else", 0);
	return reply->element[i]->element[1]->element[1];
}

static void read_redis(uint64_t index, unsigned n, struct maplog_entry *out)
{
	if (entries_read)
		freeReplyObject(entries_read);
	redisAppendCommand(redis, "XRANGE log %llu-0 + COUNT %u",
			   (unsigned long long)index + 1, n);
	entries_read = take_reply();
	for (unsigned i = 0; i < n; i++) {
		const redisReply *data = data_of(entries_read, i);

		out[i].data = data->str;
		out[i].bytes = data->len;
	}
}

static void close_redis(void)
{
	if (entries_read)
		freeReplyObject(entries_read);
	redisAppendCommand(redis, "SHUTDOWN NOSAVE");
	/* It answers by going. */
	redisGetReply(redis, NULL);
	redisFree(redis);
	waitpid(server, NULL, 0);
}

#define REDIS(text, mode)                                                      \
	{                                                                      \
		.name = text, .flags = mode, .open = open_redis,               \
		.append = append, .read = read_redis, .close = close_redis     \
	}

const struct peer peers[] = {
	REDIS("off", 0),
	REDIS("everysec", 1),
	REDIS("always", 2),
	{ 0 },
};
