/* SPDX-License-Identifier: MIT */
/* Standard output for bytes: no buffer, and a reader may leave early. */
#ifndef MAPLOG_CLI_OUTPUT_H
#define MAPLOG_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/**
 * output_write() - write all of it
 * @written: out: how much was, also on failure; may be NULL
 *
 * Return: 0; -EPIPE if nobody reads any more; -EINTR if it is to stop; -EFAULT
 * if @data, mapped from a store, cannot be read; else an -errno of write(2).
 */
int output_write(const void *data, size_t bytes, size_t *written);

/** output_is_read() - false once the other end of a pipe is closed */
bool output_is_read(void);

/**
 * output_failed() - the exit status after output_write() failed
 *
 * Says what went wrong, unless it is the reader who has seen enough.
 */
int output_failed(int ret);

/**
 * output_finish() - flush stdout
 * @status: the exit status so far
 *
 * Return: the exit status, now that this is known, too.
 */
int output_finish(int status);

#endif
