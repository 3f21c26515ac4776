/* SPDX-License-Identifier: MIT */
/* Files of a store, as a crash, a bad disk or a stranger may change them. */
#ifndef UNIT_FILES_H
#define UNIT_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** remove_tree() - remove a directory and all that is in it, if it is there */
void remove_tree(const char *path);

/** copy_tree() - copy a directory of the store, holes staying holes */
void copy_tree(const char *from, const char *to);

/** restore_file() - take a file of a log from its copy in "before" */
void restore_file(const char *path);

/** copy_data() - copy one file's bytes over another's, holes staying holes */
void copy_data(int from, int to);

/** log_path() - "log/00000000000000000042.idx" for 42 and "idx" */
const char *log_path(uint64_t base, const char *suffix);

/** open_file() - a file of the store, for reading and writing */
int open_file(const char *path);

bool file_exists(const char *path);
uint64_t file_size(const char *path);

void read_file(const char *path, uint64_t at, void *buffer, size_t bytes);
void write_file(const char *path, uint64_t at, const void *data, size_t bytes);
void zero_file(const char *path, uint64_t from, uint64_t to);
void flip_bit(const char *path, uint64_t byte, unsigned bit);
void shorten_file(const char *path, uint64_t size);

/** make_file() - a file with this text */
void make_file(const char *path, const char *text);

/** file_holds() - whether some bytes occur in a file */
bool file_holds(const char *path, const void *bytes, size_t n);

/** find_file() - the path of a file of the log with a suffix; NULL: none */
const char *find_file(const char *suffix);

/** count_files() - how many files of the log have a suffix */
int count_files(const char *suffix);

/* Where things are in an active .log file of segment-size 1M. */
#define PAYLOAD_SIZE ((uint64_t)1 << 20)
#define RECORD_SIZE  ((uint64_t)24)
#define RECORDS	     (PAYLOAD_SIZE / 16)
#define RECORD_AT(n) (PAYLOAD_SIZE + (n)*RECORD_SIZE)
#define TRAILER_AT   RECORD_AT(RECORDS)

#endif
