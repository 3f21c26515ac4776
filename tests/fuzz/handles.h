/* SPDX-License-Identifier: MIT */
/*
 * Open files of the mount without a mount: what the kernel and the notifier
 * would do stands in handles.c.
 */
#ifndef FUZZ_HANDLES_H
#define FUZZ_HANDLES_H

#include "handle.h"
#include "store.h"

/* The longest request that the kernel would send. */
#define MAX_WRITE 8192

/** handle_make() - an open file of a kind on store_log() */
struct handle *handle_make(const struct handle_ops *ops);

/** handle_close() - close it, as its last user would */
void handle_close(struct handle *handle);

/** handle_write() - write a copy that ends where it does */
ssize_t handle_write(struct handle *handle, const uint8_t *data, size_t size);

/** handle_read() - the text that reading gives; until the next call */
const char *handle_read(struct handle *handle);

/** next_index() - one past the last entry of store_log() */
uint64_t next_index(const struct handle *handle);

/** piece() - cut the next piece off an input: a u16, then so many bytes */
bool piece(const uint8_t **data, size_t *size, const uint8_t **at, size_t *n);

#endif
