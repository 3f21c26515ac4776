/* SPDX-License-Identifier: MIT */
/* The loop: threads that take requests from the kernel and work on them. */
#include "loop.h"

#include <errno.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

#define STACK_SIZE (512 << 10)

/* Room for what comes before the data of a write request. */
#define HEADER_SIZE 4096

/* A thread that is told to end may be about to sleep: it is told again. */
#define TELL_AGAIN_NSEC 5000000

struct loop {
	struct server *server;
	pthread_mutex_t taking; /* for the thread that takes a request */
	pthread_t main;
	pthread_t *threads;
	unsigned count;
	unsigned running; /* atomic */
};

static bool is_close(const struct fuse_buf *request)
{
	struct fuse_in_header header;

	if (request->size < sizeof(header))
		return false;
	memcpy(&header, request->mem, sizeof(header));
	return header.opcode == FUSE_RELEASE;
}

/* Return: 1 with a request; 0 if there is none to be worked on; -1 to end. */
static int take(struct loop *loop, void *memory, size_t size,
		struct fuse_buf *request)
{
	struct fuse_session *session = loop->server->session;
	ssize_t n;

	if (fuse_session_exited(session))
		return -1;
	n = read(fuse_session_fd(session), memory, size);
	if (n > 0) {
		*request =
			(struct fuse_buf){ .size = (size_t)n, .mem = memory };
		return 1;
	}
	/* ENOENT: the request was interrupted before it was taken. */
	if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT))
		return 0;
	/* ENODEV: unmounted. */
	if (n < 0 && errno != ENODEV)
		report(LOG_ERR, "reading requests: %s", strerror(errno));
	fuse_session_exit(session);
	return -1;
}

static int take_and_work(struct loop *loop, void *memory, size_t size)
{
	struct fuse_session *session = loop->server->session;
	struct fuse_buf request;
	bool done = false;
	int ret;

	pthread_mutex_lock(&loop->taking);
	ret = take(loop, memory, size, &request);
	if (ret > 0 && is_close(&request)) {
		fuse_session_process_buf(session, &request);
		done = true;
	}
	pthread_mutex_unlock(&loop->taking);
	if (ret > 0 && !done)
		fuse_session_process_buf(session, &request);
	return ret;
}

static void *run(void *arg)
{
	struct loop *loop = arg;
	size_t size = loop->server->max_write + HEADER_SIZE;
	void *memory = malloc(size);

	if (!memory)
		report(LOG_ERR, "no memory for requests");
	while (memory && take_and_work(loop, memory, size) >= 0)
		;
	free(memory);
	__atomic_fetch_sub(&loop->running, 1, __ATOMIC_SEQ_CST);
	pthread_kill(loop->main, SIGUSR2);
	return NULL;
}

static void do_nothing(int signal)
{
	(void)signal;
}

/* SIGUSR1 ends a system call that a thread sleeps in, and nothing else. */
static void prepare_signals(void)
{
	const struct sigaction action = { .sa_handler = do_nothing };

	sigaction(SIGUSR1, &action, NULL);
}

static int start_threads(struct loop *loop)
{
	pthread_attr_t attr;
	int ret = 0;

	pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, STACK_SIZE);
	while (!ret && loop->count < loop->server->config->threads) {
		__atomic_fetch_add(&loop->running, 1, __ATOMIC_SEQ_CST);
		ret = pthread_create(&loop->threads[loop->count], &attr, run,
				     loop);
		if (!ret)
			loop->count++;
		else
			__atomic_fetch_sub(&loop->running, 1, __ATOMIC_SEQ_CST);
	}
	pthread_attr_destroy(&attr);
	/* Fewer threads than asked for are enough. */
	return loop->count ? 0 : -ret;
}

int loop_start(struct server *server, struct loop **loop)
{
	struct loop *started = calloc(1, sizeof(*started));
	int ret;

	if (!started)
		return -ENOMEM;
	started->server = server;
	started->main = pthread_self();
	pthread_mutex_init(&started->taking, NULL);
	started->threads = calloc(server->config->threads, sizeof(pthread_t));
	ret = started->threads ? 0 : -ENOMEM;
	prepare_signals();
	if (!ret)
		ret = start_threads(started);
	if (ret) {
		free(started->threads);
		free(started);
		return ret;
	}
	*loop = started;
	return 0;
}

void loop_wait(struct loop *loop)
{
	sigset_t set;
	int signal;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR2);
	do {
		if (sigwait(&set, &signal))
			continue;
		/* A thread that ended on its own means that all are to. */
	} while (signal == SIGUSR2 &&
		 !fuse_session_exited(loop->server->session));
}

void loop_stop(struct loop *loop)
{
	const struct timespec pause = { 0, TELL_AGAIN_NSEC };

	fuse_session_exit(loop->server->session);
	while (__atomic_load_n(&loop->running, __ATOMIC_SEQ_CST)) {
		for (unsigned i = 0; i < loop->count; i++)
			pthread_kill(loop->threads[i], SIGUSR1);
		nanosleep(&pause, NULL);
	}
	for (unsigned i = 0; i < loop->count; i++)
		pthread_join(loop->threads[i], NULL);
	pthread_mutex_destroy(&loop->taking);
	free(loop->threads);
	free(loop);
}
