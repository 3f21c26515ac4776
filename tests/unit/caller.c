/* SPDX-License-Identifier: MIT */
/* Callers: calls in threads of their own, to be held and let go. */
#include "caller.h"

#include <stdlib.h>
#include <unistd.h>

#include "append.h"
#include "fixture.h"
#include "private.h"

void *call_append(void *arg)
{
	struct caller *caller = arg;
	char *zeros = calloc(1, caller->bytes + 1);
	struct maplog_entry entry = { zeros, caller->bytes, 0 };

	if (caller->text)
		entry = (struct maplog_entry){ caller->text,
					       strlen(caller->text), 0 };
	caller->ret = caller->conditional
			      ? maplog_append_at(tlog, caller->at, &entry, 1)
			      : maplog_append(tlog, &entry, 1, NULL);
	free(zeros);
	return NULL;
}

void *call_overwrite(void *arg)
{
	struct caller *caller = arg;
	struct maplog_entry entry = { caller->text, strlen(caller->text), 0 };

	caller->ret = maplog_overwrite(tlog, caller->at, &entry, 1);
	return NULL;
}

void *call_seal(void *arg)
{
	struct caller *caller = arg;

	caller->ret = maplog_seal(tlog, &caller->at);
	return NULL;
}

void *call_truncate(void *arg)
{
	struct caller *caller = arg;

	caller->ret = maplog_truncate(tlog, caller->at);
	return NULL;
}

void *call_sync(void *arg)
{
	struct caller *caller = arg;

	caller->ret = maplog_sync(tlog, &caller->at);
	return NULL;
}

void caller_start(struct caller *caller, void *(*call)(void *arg))
{
	calls_spare(true);
	must(!pthread_create(&caller->thread, NULL, call, caller));
	calls_spare(false);
}

int caller_end(struct caller *caller)
{
	pthread_join(caller->thread, NULL);
	return caller->ret;
}

static size_t queued(void)
{
	size_t n = 0;

	for (struct append *append = tlog->first_append; append;
	     append = append->next)
		n++;
	return n;
}

void caller_await(size_t batches, unsigned entering)
{
	bool there = false;

	while (!there) {
		pthread_mutex_lock(&tlog->write);
		there = queued() == batches && tlog->entering == entering;
		pthread_mutex_unlock(&tlog->write);
		usleep(1000);
	}
}

void caller_hold(struct caller *first)
{
	fault_share();
	fault_set(CALL_SYNC, 0, 1, FAULT_WAIT);
	caller_start(first, call_append);
	fault_await();
}

void caller_let_go(int error)
{
	fault_set(CALL_SYNC, 0, error ? -1 : 0, error);
	fault_go_on();
}
