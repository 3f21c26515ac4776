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
#include "supervisor.h"

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
	unsigned running; /* atomic, as are all below */
	unsigned working; /* threads that work on a request */
	uint64_t worked;  /* requests that were */
	bool closing;	  /* one works that lets no other take requests */
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

static void work(struct loop *loop, const struct fuse_buf *request)
{
	__atomic_fetch_add(&loop->working, 1, __ATOMIC_RELAXED);
	fuse_session_process_buf(loop->server->session, request);
	__atomic_fetch_sub(&loop->working, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&loop->worked, 1, __ATOMIC_RELAXED);
}

static int take_and_work(struct loop *loop, void *memory, size_t size)
{
	struct fuse_buf request;
	bool done = false;
	int ret;

	pthread_mutex_lock(&loop->taking);
	ret = take(loop, memory, size, &request);
	if (ret > 0 && is_close(&request)) {
		__atomic_store_n(&loop->closing, true, __ATOMIC_RELAXED);
		work(loop, &request);
		__atomic_store_n(&loop->closing, false, __ATOMIC_RELAXED);
		done = true;
	}
	pthread_mutex_unlock(&loop->taking);
	if (ret > 0 && !done)
		work(loop, &request);
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

/* Whether requests get done: one was since the last call, or somebody is there
 * to take the next one. */
static bool is_well(struct loop *loop, uint64_t *last)
{
	uint64_t worked = __atomic_load_n(&loop->worked, __ATOMIC_RELAXED);
	bool well = worked != *last;

	*last = worked;
	return well || (!__atomic_load_n(&loop->closing, __ATOMIC_RELAXED) &&
			__atomic_load_n(&loop->working, __ATOMIC_RELAXED) <
				loop->count);
}

/* The next of the signals; between them the supervisor hears how we are. */
static int await_signal(struct loop *loop, const sigset_t *set)
{
	uint64_t pause = supervisor_pause();
	const struct timespec timeout = { (time_t)(pause / 1000000000),
					  (long)(pause % 1000000000) };
	uint64_t last = 0;
	int signal;

	for (;;) {
		signal = pause ? sigtimedwait(set, NULL, &timeout)
			       : sigwaitinfo(set, NULL);
		if (signal > 0)
			return signal;
		if (errno == EAGAIN && is_well(loop, &last))
			supervisor_tell("WATCHDOG=1");
	}
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
		signal = await_signal(loop, &set);
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
