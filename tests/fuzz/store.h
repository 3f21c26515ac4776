/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share: a private directory in memory, and one log in
 * it, whose files can be made of arbitrary bytes.
 */
#ifndef FUZZ_STORE_H
#define FUZZ_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"

/* The name of the log in the store. */
#define LOG "log"

/** require() - end the process where what must be true is not */
#define require(condition)                                                     \
	do {                                                                   \
		if (!(condition))                                              \
			__builtin_trap();                                      \
	} while (0)

/** store_fd() - the store: an empty directory the first time it is asked for;
 * the process removes it when it ends
 */
int store_fd(void);

/** store_clear() - remove the log and all that is in it */
void store_clear(void);

/**
 * store_unpack() - make the log's directory out of an input
 *
 * An input is a row of orders, each one byte and what belongs to it, numbers
 * little-endian. The low four bits say which file, the next two what with it:
 *
 *   0  write: u32 offset, u16 length, so many bytes
 *   1  size: u64
 *   2  be no file: u8, a FIFO, a link, a directory
 *   3  be missing
 *
 * It ends where an order does not fit.
 */
void store_unpack(const uint8_t *data, size_t size);

/** store_name() - the n-th name that an order can mean; NULL past the last */
const char *store_name(size_t n);

/** store_log() - an empty log with small limits, open for writing
 *
 * The same one each time, as long as it can be made empty.
 */
struct maplog *store_log(void);

/** exact() - a copy on the heap, so that a byte too far is seen
 *
 * Return: to be freed by the caller.
 */
void *exact(const void *data, size_t size);

#endif
