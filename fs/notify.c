/* SPDX-License-Identifier: MIT */
/* The notifier: the one thread that tells the kernel what has changed. */
#include "notify.h"

#include <assert.h>
#include <errno.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "growth.h"
#include "report.h"

#define SEC 1000000000

/* Of the kernel, from 6.16 on; its header may be older. */
#define NOTIFY_INC_EPOCH 8

#define STACK_SIZE (256 << 10)

/* Between two looks at files that change: each empties their cache. */
#define STALE_PAUSE_NSEC 1000000

struct job {
	struct job *next;
	struct node **changed; /* an array: their attributes changed */
	fuse_req_t req;	       /* for attributes, to be answered */
	struct node *node;     /* of which: held */
	struct attr attr;
};

struct notifier {
	pthread_mutex_t lock;
	pthread_cond_t queued;
	pthread_t thread;
	bool stopping;
	struct job *first;
	struct job **last;
	struct node *stale;
	struct timespec stale_from; /* not before that */
};

/* Every name that the kernel knows is looked up anew when it is used next. That
 * waits for nothing, unlike to make it forget one: whoever looks one up holds
 * its directory's lock, and if the daemon were killed then nobody would ever
 * answer him, nor could the thread that waits for the lock end. */
static void age_names(struct server *server)
{
	const struct fuse_out_header message = {
		.len = sizeof(message),
		.error = NOTIFY_INC_EPOCH,
	};

	if (server->names_age && write(fuse_session_fd(server->session),
				       &message, sizeof(message)) < 0)
		report(LOG_ERR, "forgetting names: %s", strerror(errno));
}

static void drop_attributes(struct server *server, struct node **nodes)
{
	for (struct node **at = nodes; *at; at++) {
		(void)fuse_lowlevel_notify_inval_inode(
			server->session, node_number(&server->tree, *at), -1,
			0);
		node_put(&server->tree, *at);
	}
	free(nodes);
}

static void work(struct server *server, struct job *job)
{
	if (job->changed)
		drop_attributes(server, job->changed);
	if (job->node && !growth_is_known(job->node, &job->attr))
		growth_tell(server, job->node, (uint64_t)job->attr.st.st_size);
	if (job->node) {
		fuse_reply_attr(job->req, &job->attr.st, job->attr.timeout);
		node_put(&server->tree, job->node);
	}
	free(job);
}

/* Whoever has it mapped sees it anew. */
static void drop_pages(struct server *server, struct node *node)
{
	__atomic_store_n(&node->stale, false, __ATOMIC_SEQ_CST);
	(void)fuse_lowlevel_notify_inval_inode(
		server->session, node_number(&server->tree, node), 0, 0);
	node_put(&server->tree, node);
}

static void drop_all_pages(struct server *server, struct node *list)
{
	struct node *next;

	for (struct node *node = list; node; node = next) {
		next = node->next_stale;
		drop_pages(server, node);
	}
}

static struct job *take_job(struct notifier *notifier)
{
	struct job *job = notifier->first;

	if (!job)
		return NULL;
	notifier->first = job->next;
	if (!notifier->first)
		notifier->last = &notifier->first;
	return job;
}

static bool is_over(const struct timespec *time)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > time->tv_sec ||
	       (now.tv_sec == time->tv_sec && now.tv_nsec >= time->tv_nsec);
}

/* What is stale, if it is time for that again. */
static struct node *take_stale(struct notifier *notifier)
{
	struct node *stale = notifier->stale;

	if (!stale || !is_over(&notifier->stale_from))
		return NULL;
	notifier->stale = NULL;
	clock_gettime(CLOCK_MONOTONIC, &notifier->stale_from);
	notifier->stale_from.tv_nsec += STALE_PAUSE_NSEC;
	if (notifier->stale_from.tv_nsec >= SEC) {
		notifier->stale_from.tv_nsec -= SEC;
		notifier->stale_from.tv_sec++;
	}
	return stale;
}

static void wait_for_work(struct notifier *notifier)
{
	if (notifier->stale)
		pthread_cond_timedwait(&notifier->queued, &notifier->lock,
				       &notifier->stale_from);
	else
		pthread_cond_wait(&notifier->queued, &notifier->lock);
}

static void *run(void *arg)
{
	struct server *server = arg;
	struct notifier *notifier = server->notifier;

	pthread_mutex_lock(&notifier->lock);
	while (!notifier->stopping) {
		struct job *job = take_job(notifier);
		struct node *stale = job ? NULL : take_stale(notifier);

		if (!job && !stale) {
			wait_for_work(notifier);
			continue;
		}
		pthread_mutex_unlock(&notifier->lock);
		if (job)
			work(server, job);
		drop_all_pages(server, stale);
		pthread_mutex_lock(&notifier->lock);
	}
	pthread_mutex_unlock(&notifier->lock);
	return NULL;
}

static int start_thread(struct server *server)
{
	struct notifier *notifier = server->notifier;
	pthread_attr_t attr;
	int ret;

	pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, STACK_SIZE);
	ret = pthread_create(&notifier->thread, &attr, run, server);
	pthread_attr_destroy(&attr);
	return -ret;
}

int notify_start(struct server *server)
{
	struct notifier *notifier = calloc(1, sizeof(*notifier));
	pthread_condattr_t attr;

	if (!notifier)
		return -ENOMEM;
	notifier->last = &notifier->first;
	pthread_mutex_init(&notifier->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&notifier->queued, &attr);
	pthread_condattr_destroy(&attr);
	server->notifier = notifier;
	return start_thread(server);
}

/* Of a job that is not done, only the answer remains: to tell a size without
 * the bytes that come with it would be wrong. */
static void drop(struct server *server, const struct job *job, int error)
{
	for (struct node **at = job->changed; at && *at; at++)
		node_put(&server->tree, *at);
	free(job->changed);
	if (job->node) {
		fuse_reply_err(job->req, error);
		node_put(&server->tree, job->node);
	}
}

void notify_stop(struct server *server)
{
	struct notifier *notifier = server->notifier;
	struct job *job;

	pthread_mutex_lock(&notifier->lock);
	notifier->stopping = true;
	pthread_cond_signal(&notifier->queued);
	pthread_mutex_unlock(&notifier->lock);
	pthread_join(notifier->thread, NULL);
	/* Nobody queues any more. */
	while ((job = take_job(notifier))) {
		drop(server, job, ENOTCONN);
		free(job);
	}
	while (notifier->stale) {
		struct node *node = notifier->stale;

		notifier->stale = node->next_stale;
		node_put(&server->tree, node);
	}
}

void notify_free(struct server *server)
{
	struct notifier *notifier = server->notifier;

	pthread_cond_destroy(&notifier->queued);
	pthread_mutex_destroy(&notifier->lock);
	free(notifier);
}

/* Return: whether it was queued; else the notifier has stopped. */
static bool put_job(struct notifier *notifier, struct job *job)
{
	bool queues;

	pthread_mutex_lock(&notifier->lock);
	queues = !notifier->stopping;
	if (queues) {
		*notifier->last = job;
		notifier->last = &job->next;
		pthread_cond_signal(&notifier->queued);
	}
	pthread_mutex_unlock(&notifier->lock);
	return queues;
}

static void queue(struct server *server, const struct job *job)
{
	struct job *queued = malloc(sizeof(*queued));

	if (!queued) {
		report(LOG_ERR, "no memory to notify the kernel");
		drop(server, job, ENOMEM);
		return;
	}
	*queued = *job;
	queued->next = NULL;
	if (!put_job(server->notifier, queued)) {
		drop(server, queued, ENOTCONN);
		free(queued);
	}
}

void notify_stale(struct server *server, struct node *node)
{
	struct notifier *notifier = server->notifier;
	bool queues;

	if (__atomic_exchange_n(&node->stale, true, __ATOMIC_SEQ_CST))
		return;
	node_hold(&server->tree, node);
	pthread_mutex_lock(&notifier->lock);
	queues = !notifier->stopping;
	if (queues) {
		node->next_stale = notifier->stale;
		notifier->stale = node;
		pthread_cond_signal(&notifier->queued);
	}
	pthread_mutex_unlock(&notifier->lock);
	if (!queues)
		node_put(&server->tree, node);
}

struct gone {
	const struct book *book;
	uint64_t from;
	uint64_t to;
};

static bool is_gone(const struct node *node, const void *arg)
{
	const struct gone *gone = arg;
	const struct node_key *key = &node->key;

	if (key->book != gone->book)
		return false;
	switch (key->kind) {
	case NODE_ENTRY:
	case NODE_RANGE:
	case NODE_RANGE_INDEX:
		return key->first < gone->to && gone->from < key->next;
	case NODE_SEGMENT_DATA:
	case NODE_SEGMENT_INDEX:
		/* Its id is another one if it was cut short or replaced. */
		return !attr_segment_is_current(key);
	default:
		return false;
	}
}

void notify_gone(struct server *server, struct book *book, uint64_t from,
		 uint64_t to)
{
	const struct gone gone = { book, from, to };

	if (node_cut(&server->tree, is_gone, &gone))
		age_names(server);
}

static bool is_in_book(const struct node *node, const void *arg)
{
	return node->key.book == arg;
}

void notify_owner(struct server *server, struct book *book)
{
	struct job job = {
		.changed = node_collect(&server->tree, is_in_book, book),
	};

	if (job.changed)
		queue(server, &job);
}

void notify_then_reply_attr(struct server *server, fuse_req_t req,
			    struct node *node, const struct attr *attr)
{
	const struct job job = { .req = req, .node = node, .attr = *attr };

	node_hold(&server->tree, node);
	queue(server, &job);
}
