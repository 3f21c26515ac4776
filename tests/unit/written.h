/* SPDX-License-Identifier: MIT */
/* Writes of liblog: which parts of files, and how. */
#ifndef UNIT_WRITTEN_H
#define UNIT_WRITTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** written_remember() - for calls_wrote() */
void written_remember(int fd, uint64_t from, size_t bytes);

void written_forget(void);

/** written_goes_on() - whether a write goes on where a row of many others has
 * ended
 *
 * A power cut before it leaves what one a few pages earlier has left, but for
 * one page more.
 */
bool written_goes_on(int fd, uint64_t from, size_t bytes);

/** written_sparsely() - pwrite(2), with holes for long zeros behind the end
 *
 * What is torn off may be as long as a segment, and zeros for the most part.
 */
ssize_t written_sparsely(int fd, const void *data, size_t bytes, off_t at);

#endif
