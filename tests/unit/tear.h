/* SPDX-License-Identifier: MIT */
/* A log with a torn tail: what the tests of recovery begin with. */
#ifndef UNIT_TEAR_H
#define UNIT_TEAR_H

#include <stdint.h>

/* The first batch is durable, the second is not. */
#define KEPT	 2
#define KEPT_END 8
#define TORN	 3
#define TORN_END (KEPT_END + 13)

/** tear_make() - make it, not torn yet; its writer was killed */
void tear_make(void);

/** tear_data() - the path of its data file */
const char *tear_data(void);

/** tear_payload() - zeros instead of the second batch's payload
 * @from: but for so many bytes
 */
void tear_payload(uint64_t from);

/** tear_records() - likewise, of its records */
void tear_records(uint64_t from);

/** tear_expect_kept() - that the first batch is there
 * @next: and so much is in the log
 */
void tear_expect_kept(uint64_t next);

#endif
