/* SPDX-License-Identifier: MIT */
/* Parts of files that were written: what calls_wrote() is asked for. */
#ifndef UNIT_WRITTEN_H
#define UNIT_WRITTEN_H

#include <stddef.h>
#include <stdint.h>

void written_remember(int fd, uint64_t from, size_t bytes);

void written_forget(void);

#endif
