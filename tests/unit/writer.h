/* SPDX-License-Identifier: MIT */
/*
 * A writer in another process: it has the test's log open for writing and does
 * what it is told, one thing after the other.
 */
#ifndef UNIT_WRITER_H
#define UNIT_WRITER_H

#include <stdint.h>
#include <sys/types.h>

/** writer_start() - begin a process that opens the log, and wait for that */
void writer_start(void);

/** writer_begin() - likewise, but do not wait; see writer_opened()
 * @before: called in the new process, before it opens the log; may be NULL
 */
void writer_begin(void (*before)(void));
void writer_opened(void);

/* What it is told; each returns when it is done, and fails the test if it is
 * refused. */
void writer_append(const char *text);
void writer_overwrite(uint64_t index, const char *text);
void writer_truncate(uint64_t index);
void writer_trim(uint64_t index);
void writer_seal(void);
void writer_set(const char *key, const char *value);

/** writer_try_truncate() - what it said, with its faults set by @before */
int writer_try_truncate(uint64_t index);

/** writer_close() - close the log, and end the process */
void writer_close(void);

/** writer_kill() - end the process by SIGKILL */
void writer_kill(void);

pid_t writer_pid(void);

#endif
