/* SPDX-License-Identifier: MIT */
/* Turns: how a thread that waits with its batch is told. */
#include "turn.h"

#include <assert.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

enum turn turn_wait(uint32_t *turn)
{
	uint32_t given;

	while ((given = __atomic_load_n(turn, __ATOMIC_ACQUIRE)) == TURN_WAITS)
		syscall(SYS_futex, turn, FUTEX_WAIT_PRIVATE, TURN_WAITS, NULL);
	return (enum turn)given;
}

void turn_give(uint32_t *turn, enum turn given)
{
	assert(given != TURN_WAITS);

	__atomic_store_n(turn, given, __ATOMIC_RELEASE);
	/* Its owner may have seen that and be gone. Then this wakes nobody, or
	 * one who waits for something else there: all who do look again. */
	syscall(SYS_futex, turn, FUTEX_WAKE_PRIVATE, 1, NULL);
}
