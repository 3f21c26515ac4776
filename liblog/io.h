/* SPDX-License-Identifier: MIT */
/*
 * System calls on store files: the one place that retries, and the one place
 * that decides which files are opened at all.
 */
#ifndef MAPLOG_IO_H
#define MAPLOG_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * io_open() - open a regular file of a store
 * @flags: as for openat(2); O_NOFOLLOW and O_CLOEXEC are added
 * @size:  out: its size; may be NULL
 *
 * Return: 0; -ENOENT; -ELOOP for a symbolic link; -EUCLEAN for anything else
 * that is not a regular file; else the -errno of openat(2) or fstat(2).
 */
int io_open(int dirfd, const char *name, int flags, mode_t mode, int *fd,
	    uint64_t *size);

/** io_is_no_file() - whether io_open() has found nothing that could be a file
 * of a store: it is missing, a link, or a directory
 *
 * Any other error says nothing about what is there.
 */
bool io_is_no_file(int ret);

/** io_open_dir() - open a directory, whose last component is no link */
int io_open_dir(int dirfd, const char *name, int *fd);

/** io_size() - the size of an open file */
int io_size(int fd, uint64_t *size);

/**
 * io_read() - read all of @bytes at @offset
 *
 * Return: 0; -ENODATA if the file ends before; else the -errno of pread(2).
 */
int io_read(int fd, void *buffer, size_t bytes, uint64_t offset);

/** io_write() - write all of @bytes at @offset */
int io_write(int fd, const void *buffer, size_t bytes, uint64_t offset);

/**
 * io_rewrite() - write bytes again that are there, whole pages, to the device
 *
 * A failed sync of a writer before us may have left them in the page cache
 * only, and marked as if they were on disk. Where there is O_DIRECT it does
 * not go by what the cache knows: ext4 takes blocks whose first write failed
 * for written ones as long as their pages are cached, so that a write into
 * these pages is synced without error, and reads as zeros when they are gone.
 *
 * Durable after the next io_sync().
 * Return: 0; -ENOMEM; else the -errno of fdatasync(2), pread(2) or pwrite(2).
 */
int io_rewrite(int fd, uint64_t from, uint64_t to);

/** io_resize() - ftruncate(2) */
int io_resize(int fd, uint64_t size);

/** io_sync() - fdatasync(2); never tried again: a second try may lie */
int io_sync(int fd);

/** io_sync_dir() - make the names in a directory durable */
int io_sync_dir(int fd);

/**
 * io_allocate() - reserve disk space inside of a file
 *
 * What is there stays. Return: 0; -ENOSPC or -EDQUOT; else the -errno of
 * fallocate(2).
 */
int io_allocate(int fd, uint64_t offset, uint64_t bytes);

/**
 * io_release() - give reserved disk space back; its bytes read as zeros then
 *
 * Return: 0; else the -errno of fallocate(2).
 */
int io_release(int fd, uint64_t offset, uint64_t bytes);

/**
 * io_map() - map part of a file, shared
 * @writable: also for writing
 * @at:       out: where
 */
int io_map(int fd, uint64_t offset, size_t bytes, bool writable, void **at);

/**
 * io_populate() - make a mapping readable, or writable, without a signal
 * @at: any address in a mapping
 *
 * Return: 0; -EIO, or -ENOSPC when @writable, where touching the bytes would
 * have raised SIGBUS. A kernel without MADV_POPULATE says 0.
 */
int io_populate(const void *at, size_t bytes, bool writable);

/**
 * io_refusal() - why a page cannot be stored into that io_populate() refused
 * @offset: of a byte in it that nobody else changes
 *
 * Return: what a write there says, -EIO of a file system that was shut down
 * by an error; else -ENOSPC.
 */
int io_refusal(int fd, uint64_t offset);

/** io_advise() - madvise(2), which may be ignored; whole pages */
void io_advise(void *at, size_t bytes, int advice);

/**
 * io_rewrites_in_place() - whether stores into allocated pages always succeed
 *
 * Copy-on-write file systems may need new space for them.
 */
bool io_rewrites_in_place(int fd);

/**
 * io_keep_headroom() - refuse in time where a full disk is not survived
 *
 * On btrfs a store into a page that is being written back waits in the kernel,
 * and perhaps for ever, once there is no space at all: so some is left.
 *
 * Return: 0; -ENOSPC; else the -errno of fstatfs(2).
 */
int io_keep_headroom(int fd, uint64_t bytes);

/** io_disable_cow() - ask for no copy-on-write; for a file that is empty */
void io_disable_cow(int fd);

/** io_replace() - write a whole small file: all of it or none, durable */
int io_replace(int dirfd, const char *name, const void *data, size_t bytes,
	       mode_t mode);

/** io_page() - the size of a page of memory */
size_t io_page(void);

#endif
