/* SPDX-License-Identifier: MIT */
/*
 * Awake: a thread that keeps the other processor from falling asleep.
 *
 * A client that waits for its answer leaves one of two processors idle, and
 * whoever is to be woken next is put there: the daemon's thread, and the client
 * when it is answered. In a virtual machine each of these takes 20 us, half of
 * them for who wakes. If a thread is awake there, both stay on one processor,
 * and there and back takes 7. Processor time for a request is about the same:
 * to have a processor sleep and wake is not free, either.
 *
 * Only one thread has that role. It lets others run all the time, and if some
 * do the processor needs nobody to be kept awake. Mostly it is the client then:
 * the role is offered to the next thread that is done with a request, which is
 * on the other processor.
 */
#include "awake.h"

#include <sched.h>
#include <time.h>

/* Requests with less between them follow each other closely. */
#define CLOSE_NSEC 50000

/* So many of one client in a row, and there is none but that one. */
#define ROW_MIN 4

/* Who comes back this late from letting others run was not alone: most likely
 * it was the client. */
#define ALONE_NSEC 1500

/* So often it may not be, until it gives up. */
#define COMPANY_MAX 2

/* The role, above that a count of changes. */
enum role {
	ROLE_NONE,
	ROLE_TAKEN,
	ROLE_OFFERED, /* by a thread that has it until another takes it */
	ROLE_MASK = 3,
};

static uint32_t load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

/* Return: whether it was still @mine, which is what it is now. */
static bool change(struct awake *awake, uint32_t *mine, enum role to)
{
	uint32_t seen = *mine;

	*mine = ((seen & ~(uint32_t)ROLE_MASK) + ROLE_MASK + 1) | to;
	return __atomic_compare_exchange_n(&awake->role, &seen, *mine, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Return: for how long others ran. */
static uint64_t let_run(uint64_t *now)
{
	uint64_t before = *now;

	sched_yield();
	*now = clock_ns();
	return *now - before;
}

/* Whether the client was the only one lately. Requests that nobody waits for
 * come from none. */
static bool is_alone(struct awake *awake, uint32_t client)
{
	uint32_t row;

	if (client && __atomic_exchange_n(&awake->client, client,
					  __ATOMIC_RELAXED) != client)
		__atomic_store_n(&awake->row, 0, __ATOMIC_RELAXED);
	row = __atomic_fetch_add(&awake->row, 1, __ATOMIC_RELAXED);
	return row >= ROW_MIN;
}

/* Until no request came for a while, or one of another client, others need the
 * processor, or another thread has taken the role. */
static void stay(struct awake *awake, uint32_t *mine, uint64_t now,
		 const uint32_t *turns)
{
	uint32_t client = load(&awake->client);
	uint32_t seen = load(turns);
	uint64_t since = now;
	unsigned company = 0;

	while (load(&awake->role) == *mine && load(&awake->client) == client &&
	       now - since < CLOSE_NSEC) {
		uint64_t away = let_run(&now);

		if (away > ALONE_NSEC && ++company == 1)
			change(awake, mine, ROLE_OFFERED);
		if (away > CLOSE_NSEC || company > COMPANY_MAX)
			return;
		if (load(turns) != seen) {
			seen = load(turns);
			since = now;
		}
	}
}

/* More processors are not all busy: somebody is woken on another one. */
void awake_init(struct awake *awake)
{
	cpu_set_t set;

	awake->helps = !sched_getaffinity(0, sizeof(set), &set) &&
		       CPU_COUNT(&set) == 2;
}

void awake_stay(struct awake *awake, uint32_t client, uint64_t now,
		const uint32_t *turns)
{
	uint64_t last =
		__atomic_exchange_n(&awake->last, now, __ATOMIC_RELAXED);
	uint32_t mine = load(&awake->role);

	if (!awake->helps || !is_alone(awake, client) ||
	    now - last > CLOSE_NSEC || (mine & ROLE_MASK) == ROLE_TAKEN ||
	    !change(awake, &mine, ROLE_TAKEN))
		return;
	stay(awake, &mine, now, turns);
	change(awake, &mine, ROLE_NONE);
}
