/* SPDX-License-Identifier: MIT */
/* SIGINT, SIGTERM and SIGHUP as a request: to stop at the next good place. */
#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "command.h"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

#define SIGNALS (sizeof(signals) / sizeof(*signals))

static volatile sig_atomic_t asked;
static sigset_t before;

static void ask(int signal)
{
	(void)signal;
	asked = 1;
}

/* Nothing is held that would have to be given back, and what was written has
 * been written. */
static void leave(int signal)
{
	(void)signal;
	_exit(STATUS_OK);
}

/* Gives the signals a handler; @set: those that were not ignored. A command
 * in the background, or under nohup(1), is to be left alone. */
static void handle(void (*handler)(int), sigset_t *set)
{
	const struct sigaction action = { .sa_handler = handler };

	sigemptyset(set);
	for (size_t i = 0; i < SIGNALS; i++) {
		struct sigaction old;

		sigaction(signals[i], NULL, &old);
		if (old.sa_handler == SIG_IGN)
			continue;
		sigaction(signals[i], &action, NULL);
		sigaddset(set, signals[i]);
	}
}

void stop_catch(void)
{
	sigset_t set;

	handle(ask, &set);
	sigprocmask(SIG_BLOCK, &set, &before);
}

void stop_interrupt(void)
{
	sigset_t set;

	handle(ask, &set);
}

void stop_at_once(void)
{
	sigset_t set;

	handle(leave, &set);
}

bool stop_asked(void)
{
	sigset_t pending;

	sigemptyset(&pending);
	sigpending(&pending);
	for (size_t i = 0; i < SIGNALS; i++) {
		if (sigismember(&pending, signals[i]) == 1)
			return true;
	}
	return asked;
}

int stop_poll(int fd, bool wait)
{
	const struct timespec at_once = { 0, 0 };
	struct pollfd file = { .fd = fd, .events = POLLIN };
	int n;

	/* A file that can be read keeps a signal from being let in. */
	if (stop_asked())
		return -EINTR;
	do {
		n = ppoll(&file, 1, wait ? NULL : &at_once, &before);
	} while (n < 0 && errno == EINTR && !asked);
	return n < 0 ? -errno : n;
}
