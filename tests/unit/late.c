/* SPDX-License-Identifier: MIT */
/* A log whose first segment has ended, and nobody has finished it. */
#include "late.h"

#include "fixture.h"

static void roll_and_die(void)
{
	open_log(MAPLOG_WRITE);
	fault_set(CALL_THREAD, 0, -1, EAGAIN);
	append_batch("a", "b", NULL);
	append_many(1, MIB);
}

void late_make(void)
{
	create_log("segment-size", "1M", "sync", "manual", NULL);
	ck_assert_int_eq(run_child(roll_and_die), 0);
}
