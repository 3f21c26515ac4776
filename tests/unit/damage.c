/* SPDX-License-Identifier: MIT */
/*
 * Tests of damage to a store of 64 KiB: any bit, any length, any sector, any
 * file. What is not damaged is served, what is gives an error, nothing else is
 * lost, and the log goes on. No end of a log that was durable is taken for a
 * torn tail.
 *
 * Only some of the cases are tried, unless MAPLOG_STRIDE is 1: so does
 * scripts/damage-soak.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"
#include "image.h"

/* How many processes share the work, so that none takes too long. */
#define PARTS 4

/* Odd, so that all endings have their turn. */
#if defined(__SANITIZE_THREAD__)
#define SLOWER 19
#elif defined(__SANITIZE_ADDRESS__)
#define SLOWER 9
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLOWER 9
#endif
#endif
#ifndef SLOWER
#define SLOWER 1
#endif

/* One in so many is tried; a prime, so that all kinds of places are. */
static uint64_t stride(uint64_t usual)
{
	const char *text = getenv("MAPLOG_STRIDE");
	uint64_t n = text ? strtoull(text, NULL, 10) : 0;

	return n ? n : usual * SLOWER + (usual * SLOWER + 1) % 2;
}

/* Of what has no places, sanitizers take one in so many, too. */
static int loops(int n)
{
	return (n + SLOWER - 1) / SLOWER;
}

/* Of the ending that takes a second to make it is one in eight. */
static bool is_left_out(int i)
{
	int n = i / ENDINGS;

	return !getenv("MAPLOG_STRIDE") && i % ENDINGS == ENDING_POWER && n % 8;
}

/* Looped over endings, then over parts. Returns the part. */
static uint64_t make(int i)
{
	image_make((enum ending)(i % ENDINGS));
	return (uint64_t)(i / ENDINGS);
}

/* How often the log is opened for writing, too: that costs a whole copy. */
static bool as_writer(uint64_t n)
{
	return n % 8 == 0 || getenv("MAPLOG_STRIDE");
}

/* As a reader, and perhaps as the writer; then all is as it was. */
static void check(uint64_t n, enum image_file file, uint64_t from, uint64_t to)
{
	image_check(false);
	if (as_writer(n)) {
		image_check(true);
		image_restore();
	} else {
		image_undo(file, from, to);
	}
}

/* Cases are counted, and every so-many-th is done, each by one of the parts. */
struct turn {
	uint64_t part;
	uint64_t step;
	uint64_t n;
};

static bool is_due(struct turn *turn)
{
	uint64_t n = turn->n++;

	return n % turn->step == 0 && n / turn->step % PARTS == turn->part;
}

/* A count of those that are done, for what is done to some of them only. */
static uint64_t done(const struct turn *turn)
{
	return turn->n / turn->step / PARTS;
}

static void flip(struct turn *turn, enum image_file file, uint64_t byte)
{
	for (unsigned bit = 0; bit < 8; bit++) {
		if (!is_due(turn))
			continue;
		image_now(file)[byte] ^= (uint8_t)(1U << bit);
		image_write(file, byte, byte + 1);
		check(done(turn), file, byte, byte + 1);
	}
}

static uint64_t sectors(enum image_file file)
{
	return (image_size(file) + SECTOR - 1) / SECTOR;
}

/* Where a sector ends; the last one may be shorter. */
static uint64_t end_of(enum image_file file, uint64_t sector)
{
	uint64_t end = (sector + 1) * SECTOR;

	return end < image_size(file) ? end : image_size(file);
}

START_TEST(flipped_bit_takes_its_entry_and_no_other)
{
	struct turn turn = { make(_i), stride(199), 0 };

	for (enum image_file file = 0; file < FILES; file++) {
		for (uint64_t n = 0; n < sectors(file); n++) {
			uint64_t at = n * SECTOR;

			for (; image_holds(file, n) && at < end_of(file, n);
			     at++)
				flip(&turn, file, at);
		}
	}
}
END_TEST

static void shorten(enum image_file file, uint64_t size, uint64_t n)
{
	image_cut(file, size);
	image_check(false);
	if (as_writer(n))
		image_check(true);
	image_restore();
}

START_TEST(file_of_any_length_keeps_what_is_in_it)
{
	struct turn turn = { make(_i), stride(397), 0 };

	for (enum image_file file = 0; file < FILES; file++) {
		for (uint64_t at = 0; at < image_size(file); at++) {
			/* In a hole one length is like any other. */
			if (!image_holds(file, at / SECTOR) &&
			    at % (97 * SECTOR))
				continue;
			if (is_due(&turn))
				shorten(file, at, done(&turn));
		}
	}
}
END_TEST

enum harm {
	HARM_ZEROED,
	HARM_ONES,
	HARM_COPIED,  /* from the next sector */
	HARM_SWAPPED, /* with one further on */
	HARM_EARLIER, /* as it was some time ago */
	HARM_RANDOM,
	HARMS
};

static void swap(enum image_file file, uint64_t from, uint64_t with)
{
	const uint8_t *was = image_bytes(file);

	memcpy(image_now(file) + from, was + with, SECTOR);
	memcpy(image_now(file) + with, was + from, SECTOR);
	image_write(file, with, with + SECTOR);
}

/* Returns where the harm ends. */
static uint64_t harm(enum image_file file, uint64_t n, enum harm harm)
{
	uint64_t from = n * SECTOR;
	uint64_t to = end_of(file, n);
	bool follows = from + 4 * SECTOR <= image_size(file);
	uint8_t *now = image_now(file) + from;

	if (harm == HARM_ZEROED)
		memset(now, 0, to - from);
	else if (harm == HARM_ONES)
		memset(now, 0xff, to - from);
	else if (harm == HARM_EARLIER)
		memcpy(now, image_earlier(file) + from, to - from);
	else if (harm == HARM_RANDOM)
		pattern(now, to - from, n);
	else if (harm == HARM_COPIED && follows)
		memcpy(now, image_bytes(file) + to, SECTOR);
	else if (harm == HARM_SWAPPED && follows)
		swap(file, from, from + 3 * SECTOR);
	image_write(file, from, to);
	return harm == HARM_SWAPPED && follows ? from + 4 * SECTOR : to;
}

START_TEST(harmed_sector_takes_its_entries_and_no_other)
{
	struct turn turn = { make(_i), stride(3), 0 };

	for (enum image_file file = 0; file < FILES; file++) {
		for (uint64_t n = 0; n < sectors(file) * HARMS; n++) {
			uint64_t to;

			if (!image_holds(file, n / HARMS) || !is_due(&turn))
				continue;
			to = harm(file, n / HARMS, (enum harm)(n % HARMS));
			check(done(&turn), file, n / HARMS * SECTOR, to);
		}
	}
}
END_TEST

enum thing {
	THING_NONE,
	THING_FIFO,
	THING_LINK,
	THING_DIRECTORY,
	THING_FULL_DIRECTORY,
	THING_SPARSE, /* 2^63 - 1 bytes, or what the file system allows */
	THING_EMPTY,
	THINGS
};

static void make_sparse(const char *path)
{
	int fd;

	make_file(path, "");
	fd = open_file(path);
	for (uint64_t size = INT64_MAX; ftruncate(fd, (off_t)size); size /= 2)
		ck_assert_uint_gt(size, 1);
	close(fd);
}

static void put_in_place(const char *path, enum thing thing)
{
	char inside[120];

	snprintf(inside, sizeof(inside), "%s/inside", path);
	(void)unlinkat(store, path, 0);
	if (thing == THING_FIFO)
		ck_assert_int_eq(mkfifoat(store, path, 0666), 0);
	else if (thing == THING_LINK)
		ck_assert_int_eq(symlinkat("../good/head", store, path), 0);
	else if (thing == THING_DIRECTORY || thing == THING_FULL_DIRECTORY)
		ck_assert_int_eq(mkdirat(store, path, 0777), 0);
	else if (thing == THING_SPARSE)
		make_sparse(path);
	else if (thing == THING_EMPTY)
		make_file(path, "");
	if (thing == THING_FULL_DIRECTORY)
		make_file(inside, "");
}

/* Looped over endings, things and files. */
START_TEST(other_thing_in_place_of_a_file_takes_its_entries_only)
{
	const int i = _i * SLOWER;
	enum thing thing = (enum thing)(i / ENDINGS / FILES);
	enum image_file file;

	if (is_left_out(i))
		return;
	file = (enum image_file)(make(i) % FILES);
	put_in_place(image_path(file), thing);
	image_lose(file);
	image_check(false);
	image_check(true);
}
END_TEST

/* What others may have left in the directory, none of it a segment's. */
static const char *const strange[] = {
	"00000000000000000000.idx.new",
	"00000000000000000020.log.new",
	"00000000000000000035.torn",
	"00000000000000000040.idx",
	"00000000000000000052.end",
	"00000000000000000052.log",
	"00000000000000000060.end",
	"00000000000000000060.log",
	"00000000000000000060.idx",
	"09223372036854775807.log",
	"09223372036854775808.log",
	"18446744073709551615.log",
	"18446744073709551616.log",
	"0000000000000000052.log",
	"head.new",
	"log.ini.new",
	"lost+found",
	".hidden",
	"head~",
};

#define STRANGE ((int)(sizeof(strange) / sizeof(*strange)))

/* Looped over endings, things and names. */
START_TEST(extra_file_takes_nothing)
{
	const int i = _i * SLOWER;
	enum thing thing = (enum thing)(1 + i / ENDINGS / STRANGE);
	const char *name;
	char path[80];

	if (is_left_out(i))
		return;
	name = strange[make(i) % STRANGE];
	snprintf(path, sizeof(path), LOG "/%s", name);
	put_in_place(path, thing);
	image_check(false);
	image_check(true);
}
END_TEST

/* A case each, so that scripts/damage-soak can have them side by side. */
static void add(Suite *suite, const char *name, const TTest *test, int n)
{
	tcase_add_loop_test(unit_case(suite, name), test, 0, n);
}

static Suite *damage_suite(void)
{
	Suite *suite = suite_create("damage");

	add(suite, "bits", flipped_bit_takes_its_entry_and_no_other,
	    ENDINGS * PARTS);
	add(suite, "lengths", file_of_any_length_keeps_what_is_in_it,
	    ENDINGS * PARTS);
	add(suite, "sectors", harmed_sector_takes_its_entries_and_no_other,
	    ENDINGS * PARTS);
	add(suite, "things",
	    other_thing_in_place_of_a_file_takes_its_entries_only,
	    loops(ENDINGS * THINGS * FILES));
	add(suite, "names", extra_file_takes_nothing,
	    loops(ENDINGS * (THINGS - 1) * STRANGE));
	return suite;
}

int main(void)
{
	return unit_run_in_memory(damage_suite());
}
