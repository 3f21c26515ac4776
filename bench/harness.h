/* SPDX-License-Identifier: MIT */
/*
 * What all programs of the bench share: arguments, clock, payload, results.
 *
 * A program does one thing once, and prints what it measured as lines
 * `metric,unit,value`. Repeating, alternating and comparing is done by
 * scripts/bench, which calls them. Whatever goes wrong ends the program: a
 * figure is printed only if the work was done, and done right.
 */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Failing ---- */

/** die() - end the program: @what failed; @err is an errno, 0 for none */
__attribute__((noreturn)) void die(const char *what, int err);

/** must() - die if @ret is a negative errno */
static inline void must(int ret, const char *what)
{
	if (ret < 0)
		die(what, -ret);
}

/** must_call() - die if a system call returned -1; else what it returned */
long must_call(long ret, const char *what);

/** must_alloc() - zeroed memory, aligned to a page */
void *must_alloc(size_t bytes);

/* ---- Arguments: name=value ---- */

void args_init(int argc, char **argv);

/** arg_text() - the value of an argument, or what it is by default */
const char *arg_text(const char *name, const char *otherwise);

/** arg_number() - likewise, a number */
uint64_t arg_number(const char *name, uint64_t otherwise);

/** args_done() - die if there is an argument that nobody asked for */
void args_done(void);

/* ---- Clock and processors ---- */

/** clock_ns() - nanoseconds of a clock that all processes share */
static inline uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/** pin() - keep the calling thread on a processor; -1 for any */
void pin(int cpu);

/** keep() - make the compiler believe that @value is needed */
static inline void keep(uint64_t value)
{
	__asm__ volatile("" : : "r"(value) : "memory");
}

/** random_below() - the next number below @n (at most 2^32) of a series */
static inline uint64_t random_below(uint64_t *state, uint64_t n)
{
	*state = *state * 6364136223846793005 + 1442695040888963407;
	return (*state >> 32) * n >> 32;
}

/* ---- Payload: what entry i holds follows from i ---- */

/* Entries begin anywhere in so many bytes of noise: few enough to stay in the
 * cache, as what a program has just made does. */
#define PAYLOAD_SPAN (UINT64_C(1) << 16)

extern const unsigned char *payload_noise;

/** payload_init() - prepare entries of up to @bytes, none with a newline */
void payload_init(size_t bytes);

/*
 * No two of 65,536 entries in a row begin at the same place, and those after
 * them begin elsewhere: bytes that changed, moved or were mixed up show.
 */
static inline const void *payload(uint64_t index)
{
	uint64_t at = index * 40503 + (index >> 16) * 977;

	return payload_noise + (at & (PAYLOAD_SPAN - 1));
}

/** payload_check() - die unless these are the bytes of entry @index */
static inline void payload_check(uint64_t index, const void *data, size_t bytes)
{
	if (__builtin_expect(memcmp(data, payload(index), bytes) != 0, 0))
		die("contents are wrong", 0);
}

/* ---- Results ---- */

/** emit() - print one figure */
void emit(const char *metric, const char *unit, double value);

#ifdef __cplusplus
}
#endif

#endif
