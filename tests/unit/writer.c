/* SPDX-License-Identifier: MIT */
/* A writer in another process. */
#include "writer.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

enum what { APPEND, OVERWRITE, TRUNCATE, TRIM, SEAL, SET, CLOSE };

struct order {
	enum what what;
	uint64_t index;
	char text[64];
	char value[32];
};

static pid_t pid;
static int line = -1;

static int obey(struct maplog *log, const struct order *order)
{
	const struct maplog_entry entry = { order->text, strlen(order->text),
					    0 };

	switch (order->what) {
	case APPEND:
		return maplog_append(log, &entry, 1, NULL);
	case OVERWRITE:
		return maplog_overwrite(log, order->index, &entry, 1);
	case TRUNCATE:
		return maplog_truncate(log, order->index);
	case TRIM:
		return maplog_trim(log, order->index);
	case SEAL:
		return maplog_seal(log, NULL);
	case SET:
		return maplog_set(log, order->text, order->value);
	case CLOSE:
		return maplog_close(log);
	}
	return -EINVAL;
}

/* Ends by itself when nobody is left who could tell it anything. */
static void serve(int fd, void (*before)(void))
{
	struct maplog *log;
	struct order order = { .what = APPEND };
	int ret;

	if (before)
		before();
	ret = maplog_open(store, LOG, MAPLOG_WRITE, &log);
	while (write(fd, &ret, sizeof(ret)) == sizeof(ret) &&
	       order.what != CLOSE) {
		if (read(fd, &order, sizeof(order)) != sizeof(order))
			break;
		ret = obey(log, &order);
	}
	calls_exit(0);
}

void writer_begin(void (*before)(void))
{
	int pair[2];

	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		close(pair[0]);
		serve(pair[1], before);
	}
	close(pair[1]);
	line = pair[0];
}

static int answer(void)
{
	int ret = -1;

	ck_assert_int_eq(read(line, &ret, sizeof(ret)), sizeof(ret));
	return ret;
}

void writer_opened(void)
{
	ck_assert_int_eq(answer(), 0);
}

void writer_start(void)
{
	writer_begin(NULL);
	writer_opened();
}

static int try_tell(enum what what, uint64_t index, const char *text,
		    const char *value)
{
	struct order order = { .what = what, .index = index };

	snprintf(order.text, sizeof(order.text), "%s", text);
	snprintf(order.value, sizeof(order.value), "%s", value);
	ck_assert_int_eq(write(line, &order, sizeof(order)), sizeof(order));
	return answer();
}

static void tell(enum what what, uint64_t index, const char *text)
{
	ck_assert_int_eq(try_tell(what, index, text, ""), 0);
}

void writer_append(const char *text)
{
	tell(APPEND, 0, text);
}

void writer_overwrite(uint64_t index, const char *text)
{
	tell(OVERWRITE, index, text);
}

void writer_truncate(uint64_t index)
{
	tell(TRUNCATE, index, "");
}

int writer_try_truncate(uint64_t index)
{
	return try_tell(TRUNCATE, index, "", "");
}

void writer_trim(uint64_t index)
{
	tell(TRIM, index, "");
}

void writer_seal(void)
{
	tell(SEAL, 0, "");
}

void writer_set(const char *key, const char *value)
{
	ck_assert_int_eq(try_tell(SET, 0, key, value), 0);
}

static void end(void)
{
	int wstatus;

	close(line);
	ck_assert_int_eq(waitpid(pid, &wstatus, 0), pid);
	pid = 0;
}

void writer_close(void)
{
	tell(CLOSE, 0, "");
	end();
}

void writer_kill(void)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	end();
}

pid_t writer_pid(void)
{
	return pid;
}
