/* SPDX-License-Identifier: MIT */
/* The loop: threads that take requests from the kernel and work on them. */
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "awake.h"
#include "report.h"
#include "supervisor.h"

#define STACK_SIZE (512 << 10)

/* Room for what comes before the data of a write request. */
#define HEADER_SIZE 4096

/* Requests with more data are worked on beside others. */
#define SHORT_REQUEST (16 << 10)

/* A thread that is told to end may be about to sleep: it is told again. */
#define TELL_AGAIN_NSEC 5000000

/* A request that took longer than this has waited for something. The next few
 * may do so, too: where more of them are there, they are worked on together. */
#define SLOW_NSEC     50000
#define WARY_REQUESTS 64

/* How long a leader may be at one request before another one leads. */
#define TICK_NSEC 1000000

/* How often a thread that was not needed lets others run, until it sleeps for
 * a tick. */
#define YIELDS 64

/*
 * So many threads wait for requests, or lead. All of them are woken; the first
 * that runs takes the lead, and the request. Mostly that is the one on the
 * processor of the caller, which sleeps by then: there and back takes 7 us.
 * Where one thread waited alone, the scheduler had it run on the idle processor
 * of two: to wake one that sleeps, and then the caller's, takes 40 us.
 */
#define WATCHERS 2

/* The lead: what its holder does, above that a count of changes. */
enum lead {
	LEAD_FREE,
	LEAD_TAKES,
	LEAD_WORKS,
	LEAD_CLOSES, /* works on what no other may overtake */
	LEAD_MASK = 3,
};

struct loop {
	struct server *server;
	sem_t places; /* for threads that wait for requests, or lead */
	pthread_t main;
	pthread_t *threads;
	unsigned count;
	unsigned running; /* atomic, as are all below */
	unsigned working; /* threads that work on a request */
	uint64_t worked;  /* requests that were */
	uint32_t lead;
	unsigned wary; /* requests to come that may be slow */
	struct awake awake;
};

/* Of a thread that leads and works on a request, which it may do without. */
static _Thread_local struct {
	struct loop *loop;
	uint32_t lead; /* as it left it; else it was taken over */
} leading;

static uint32_t lead_load(struct loop *loop)
{
	return __atomic_load_n(&loop->lead, __ATOMIC_SEQ_CST);
}

static uint32_t lead_next(uint32_t lead, enum lead now)
{
	return ((lead & ~(uint32_t)LEAD_MASK) + LEAD_MASK + 1) | now;
}

/* By whoever has seen it last; fails if another one was quicker. */
static bool lead_change(struct loop *loop, uint32_t seen, enum lead now)
{
	return __atomic_compare_exchange_n(&loop->lead, &seen,
					   lead_next(seen, now), false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* By the one who leads, and does not work: nobody else changes it then. */
static void lead_set(struct loop *loop, enum lead now)
{
	__atomic_store_n(&loop->lead, lead_next(lead_load(loop), now),
			 __ATOMIC_SEQ_CST);
}

static void await_request(struct loop *loop)
{
	struct pollfd wanted = {
		.fd = fuse_session_fd(loop->server->session),
		.events = POLLIN,
	};

	(void)!poll(&wanted, 1, -1);
}

/* Return: whether the lead stayed as it was for a tick. */
static bool stays(struct loop *loop, uint32_t seen)
{
	const struct timespec tick = { 0, TICK_NSEC };

	for (int i = 0; i < YIELDS; i++) {
		sched_yield();
		if (lead_load(loop) != seen)
			return false;
	}
	nanosleep(&tick, NULL);
	return lead_load(loop) == seen;
}

/* Waits until there is a request, and nobody leads or who does is stuck; that
 * one has lost its place then. Return: whether the thread leads now; else all
 * are to end. */
static bool take_lead(struct loop *loop)
{
	while (!fuse_session_exited(loop->server->session)) {
		uint32_t seen;
		enum lead state;

		await_request(loop);
		seen = lead_load(loop);
		state = seen & LEAD_MASK;
		if (state == LEAD_FREE) {
			if (lead_change(loop, seen, LEAD_TAKES))
				return true;
		} else if (stays(loop, seen) && state == LEAD_WORKS &&
			   lead_change(loop, seen, LEAD_TAKES)) {
			sem_post(&loop->places);
			return true;
		}
	}
	return false;
}

void loop_give_way(void)
{
	struct loop *loop = leading.loop;

	leading.loop = NULL;
	if (loop && lead_change(loop, leading.lead, LEAD_FREE))
		sem_post(&loop->places);
}

static struct fuse_in_header header_of(const struct fuse_buf *request)
{
	struct fuse_in_header header = { .opcode = 0 };

	if (request->size >= sizeof(header))
		memcpy(&header, request->mem, sizeof(header));
	return header;
}

/* Most of these take a few microseconds, less than to wake another thread does;
 * what may take longer gives way on its own. */
static bool is_short(const struct fuse_buf *request, uint32_t opcode)
{
	switch (opcode) {
	case FUSE_LOOKUP:
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_GETATTR:
	case FUSE_OPEN:
	case FUSE_READ:
	case FUSE_WRITE:
	case FUSE_OPENDIR:
	case FUSE_RELEASEDIR:
	case FUSE_POLL:
		return request->size <= SHORT_REQUEST;
	default:
		return false;
	}
}

/* Whether others wait, and may have to for long. */
static bool is_crowded(struct loop *loop)
{
	struct pollfd wanted = {
		.fd = fuse_session_fd(loop->server->session),
		.events = POLLIN,
	};
	unsigned wary = __atomic_load_n(&loop->wary, __ATOMIC_RELAXED);

	if (!wary)
		return false;
	__atomic_store_n(&loop->wary, wary - 1, __ATOMIC_RELAXED);
	return poll(&wanted, 1, 0) > 0;
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
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
	/* ENODEV: unmounted; ECONNABORTED: while this was about to be read. */
	if (n < 0 && errno != ENODEV && errno != ECONNABORTED)
		report(LOG_ERR, "reading requests: %s", strerror(errno));
	fuse_session_exit(session);
	return -1;
}

/* Return: when it was done. */
static uint64_t work(struct loop *loop, const struct fuse_buf *request)
{
	uint64_t begin = now();
	uint64_t end;

	__atomic_fetch_add(&loop->working, 1, __ATOMIC_RELAXED);
	fuse_session_process_buf(loop->server->session, request);
	__atomic_fetch_sub(&loop->working, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&loop->worked, 1, __ATOMIC_RELAXED);
	end = now();
	if (end - begin > SLOW_NSEC)
		__atomic_store_n(&loop->wary, WARY_REQUESTS, __ATOMIC_RELAXED);
	return end;
}

/* Return: whether the thread led until it was done. */
static bool work_and_lead(struct loop *loop, const struct fuse_buf *request)
{
	const struct fuse_in_header header = header_of(request);
	uint64_t end;
	uint32_t lead;

	lead_set(loop,
		 header.opcode == FUSE_RELEASE ? LEAD_CLOSES : LEAD_WORKS);
	lead = lead_load(loop);
	if (header.opcode != FUSE_RELEASE) {
		leading.loop = loop;
		leading.lead = lead;
		if (!is_short(request, header.opcode) || is_crowded(loop))
			loop_give_way();
	}
	end = work(loop, request);
	leading.loop = NULL;
	if (!lead_change(loop, lead, LEAD_FREE))
		return false;
	awake_stay(&loop->awake, header.pid, end, &loop->lead);
	return true;
}

/* Takes requests and works on them, as long as it keeps its place. Return:
 * whether there may be more. */
static bool serve(struct loop *loop, void *memory, size_t size)
{
	struct fuse_buf request;
	bool leads = true;

	while (leads) {
		int ret;

		if (!take_lead(loop))
			return false;
		ret = take(loop, memory, size, &request);
		if (ret < 0)
			return false;
		if (ret)
			leads = work_and_lead(loop, &request);
		else
			lead_set(loop, LEAD_FREE);
	}
	return true;
}

/* Return: false when all are to end. */
static bool take_place(struct loop *loop)
{
	while (sem_wait(&loop->places)) {
		if (fuse_session_exited(loop->server->session))
			return false;
	}
	return true;
}

static void *run(void *arg)
{
	struct loop *loop = arg;
	size_t size = loop->server->max_write + HEADER_SIZE;
	void *memory = malloc(size);

	if (!memory)
		report(LOG_ERR, "no memory for requests");
	while (memory && take_place(loop) && serve(loop, memory, size))
		;
	free(memory);
	__atomic_fetch_sub(&loop->running, 1, __ATOMIC_SEQ_CST);
	pthread_kill(loop->main, SIGUSR2);
	return NULL;
}

/* Takes what does not come by io_uring, and starts and ends what does. */
static void *run_libfuse(void *arg)
{
	struct loop *loop = arg;

	if (fuse_session_loop(loop->server->session))
		report(LOG_ERR, "libfuse has ended");
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
	const struct server *server = loop->server;
	void *(*start)(void *) = server->io_uring ? run_libfuse : run;
	unsigned wanted = server->io_uring ? 1 : server->config->threads;
	int fd = fuse_session_fd(server->session);
	pthread_attr_t attr;
	int ret = 0;

	if (!server->io_uring && fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK))
		return -errno;
	pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, STACK_SIZE);
	while (!ret && loop->count < wanted) {
		__atomic_fetch_add(&loop->running, 1, __ATOMIC_SEQ_CST);
		ret = pthread_create(&loop->threads[loop->count], &attr, start,
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
	sem_init(&started->places, 0, WATCHERS);
	awake_init(&started->awake);
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
	return well || ((lead_load(loop) & LEAD_MASK) != LEAD_CLOSES &&
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
	sem_destroy(&loop->places);
	free(loop->threads);
	free(loop);
}
