/* SPDX-License-Identifier: MIT */
/* An image: a small store in memory, as it was and as damage has left it. */
#include "image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"
#include "format.h"

#define GOOD "good"
#define OLD  "old"

/* Two segments of 20 entries, the second cut to 15, and 17 in the third. */
#define BASE1 20
#define BASE2 35
#define NEXT  52

static const char *const names[FILES] = {
	"head",
	"log.ini",
	"00000000000000000000.log",
	"00000000000000000000.idx",
	"00000000000000000020.log",
	"00000000000000000020.idx",
	"00000000000000000035.log",
	"00000000000000000035.idx",
};

struct image {
	uint64_t size;
	uint64_t now_size;
	uint8_t *was;
	uint8_t *now;
	uint8_t *earlier;
};

static struct image images[FILES];
static enum ending ended;

static size_t bytes_of(uint64_t index)
{
	return 900 + (size_t)(index * 37 % 400);
}

static void put(uint64_t index, size_t n)
{
	struct maplog_entry entries[4];
	static char bytes[4][2048];

	for (size_t i = 0; i < n; i++) {
		pattern(bytes[i], bytes_of(index + i), index + i);
		entries[i] =
			(struct maplog_entry){ bytes[i], bytes_of(index + i),
					       index + i };
	}
	ck_assert_int_eq(maplog_append(tlog, entries, n, NULL), 0);
}

static void fill(uint64_t from, uint64_t to)
{
	while (from < to) {
		size_t n = 1 + (size_t)(from % 4);

		n = n > to - from ? (size_t)(to - from) : n;
		put(from, n);
		from += n;
	}
}

static void write_log(void)
{
	open_log(MAPLOG_WRITE);
	fill(0, BASE1);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	fill(BASE1, BASE1 + 20);
	copy_tree(LOG, OLD);
	ck_assert_int_eq(maplog_truncate(tlog, BASE2), 0);
	fill(BASE2, NEXT);
}

static void write_and_close(void)
{
	write_log();
	close_log();
}

/* The counters in the head are what is not synced before a checkpoint. */
static void forget_counters(void)
{
	zero_file(LOG "/head", 64, 512);
}

static uint64_t checkpointed(void)
{
	uint64_t slots[2][2];

	read_file(LOG "/head", 512, slots[0], sizeof(slots[0]));
	read_file(LOG "/head", 1024, slots[1], sizeof(slots[1]));
	return slots[slots[1][0] > slots[0][0]][1];
}

static void write_and_idle(void)
{
	write_log();
	while (checkpointed() < NEXT)
		usleep(10000);
}

static uint8_t *load(const char *directory, enum image_file file, uint64_t size)
{
	uint8_t *bytes = calloc(1, size + SECTOR);
	char path[80];
	uint64_t there;

	ck_assert_ptr_nonnull(bytes);
	snprintf(path, sizeof(path), "%s/%s", directory, names[file]);
	if (!file_exists(path))
		return bytes;
	there = file_size(path);
	read_file(path, 0, bytes, there < size ? there : size);
	return bytes;
}

static void load_all(void)
{
	for (enum image_file file = 0; file < FILES; file++) {
		struct image *image = &images[file];

		image->size = file_size(image_path(file));
		image->now_size = image->size;
		image->was = load(LOG, file, image->size);
		image->now = load(LOG, file, image->size);
		image->earlier = load(OLD, file, image->size);
	}
}

static void make(enum ending ending)
{
	static void (*const work[ENDINGS])(void) = {
		[ENDING_CLOSED] = write_and_close,
		[ENDING_KILLED] = write_log,
		[ENDING_POWER] = write_and_idle,
		[ENDING_NO_INDEX] = write_log,
	};

	remove_log();
	create_log("segment-size", "1M", NULL);
	ck_assert_int_eq(run_child(work[ending]), 0);
}

void image_make(enum ending ending)
{
	ended = ending;
	/* On a machine that stops for a second there is a checkpoint which says
	 * that the index is durable: then no power cut takes it. */
	do {
		make(ending);
	} while (ending == ENDING_NO_INDEX && checkpointed() > BASE2);
	if (ending == ENDING_POWER)
		forget_counters();
	if (ending == ENDING_NO_INDEX)
		zero_file(image_path(FILE_IDX2), 0,
			  file_size(image_path(FILE_IDX2)));
	load_all();
	copy_tree(LOG, GOOD);
}

uint64_t image_next(void)
{
	return NEXT;
}

const char *image_path(enum image_file file)
{
	static char path[80];

	snprintf(path, sizeof(path), LOG "/%s", names[file]);
	return path;
}

const uint8_t *image_bytes(enum image_file file)
{
	return images[file].was;
}

uint8_t *image_now(enum image_file file)
{
	return images[file].now;
}

uint64_t image_size(enum image_file file)
{
	return images[file].size;
}

const uint8_t *image_earlier(enum image_file file)
{
	return images[file].earlier;
}

bool image_holds(enum image_file file, uint64_t sector)
{
	static const uint8_t zeros[SECTOR];

	return memcmp(images[file].was + sector * SECTOR, zeros, SECTOR) != 0;
}

void image_write(enum image_file file, uint64_t from, uint64_t to)
{
	write_file(image_path(file), from, images[file].now + from, to - from);
}

void image_cut(enum image_file file, uint64_t size)
{
	images[file].now_size = size;
	shorten_file(image_path(file), size);
}

void image_lose(enum image_file file)
{
	images[file].now_size = 0;
}

void image_undo(enum image_file file, uint64_t from, uint64_t to)
{
	memcpy(images[file].now + from, images[file].was + from, to - from);
	image_write(file, from, to);
}

void image_restore(void)
{
	for (enum image_file file = 0; file < FILES; file++) {
		struct image *image = &images[file];

		image->now_size = image->size;
		memcpy(image->now, image->was, image->size);
	}
	copy_tree(GOOD, LOG);
}

struct image_place image_place(uint64_t index)
{
	struct image_place place = { .log = FILE_LOG0 };
	uint64_t base = 0;

	if (index >= BASE1) {
		place.log = FILE_LOG1;
		base = BASE1;
	}
	if (index >= BASE2) {
		place.log = FILE_LOG2;
		base = BASE2;
	}
	place.rel = index - base;
	for (uint64_t i = base; i < index; i++)
		place.start += bytes_of(i);
	place.end = place.start + bytes_of(index);
	return place;
}

static bool same(enum image_file file, uint64_t from, uint64_t to)
{
	const struct image *image = &images[file];

	return to <= image->now_size &&
	       !memcmp(image->was + from, image->now + from, to - from);
}

/* An entry's record, and where the one before it ends. */
static bool same_record(enum image_file file, uint64_t records, uint64_t rel)
{
	uint64_t at = records + rel * RECORD_SIZE;

	return same(file, at, at + RECORD_SIZE) &&
	       (!rel || same(file, at - RECORD_SIZE, at - RECORD_SIZE + 4));
}

/* It is there twice, counted from the end, and says where the copy of the
 * records is. */
static bool has_trailer(void)
{
	const uint64_t second = TRAILER_AT + MAPLOG_TRAILER_SIZE / 2;
	const struct image *image = &images[FILE_LOG2];

	return image->now_size == image->size &&
	       (same(FILE_LOG2, TRAILER_AT, TRAILER_AT + SECTOR) ||
		same(FILE_LOG2, second, second + SECTOR));
}

enum fate { FATE_SERVED, FATE_REFUSED, FATE_EITHER };

static enum fate fate_of(uint64_t index)
{
	struct image_place place = image_place(index);
	bool index_same = same_record(place.log + 1, 0, place.rel);
	bool copy_same = place.log == FILE_LOG2 &&
			 same_record(place.log, PAYLOAD_SIZE, place.rel);

	if (place.log == FILE_LOG2 && ended == ENDING_NO_INDEX)
		index_same = copy_same && has_trailer();
	if (!same(place.log, place.start, place.end))
		return FATE_REFUSED;
	if (place.log != FILE_LOG2)
		return index_same ? FATE_SERVED : FATE_REFUSED;
	if (index_same && copy_same)
		return FATE_SERVED;
	return index_same || copy_same ? FATE_EITHER : FATE_REFUSED;
}

/* Not by ck_assert(), which writes down that it was there each time. */
static void expect_entry(bool right, uint64_t index, int ret)
{
	if (!right)
		ck_abort_msg("entry %d, fate %d: %d", (int)index,
			     (int)fate_of(index), ret);
}

static void check_entry(uint64_t index)
{
	static char want[2048];
	static char got[2048];
	enum fate fate = fate_of(index);
	struct maplog_info info;
	int ret;

	ret = maplog_read(tlog, index, got, sizeof(got), &info);
	if (ret) {
		expect_entry(ret == -EBADMSG || ret == -EUCLEAN, index, ret);
		expect_entry(fate != FATE_SERVED, index, ret);
		return;
	}
	expect_entry(fate != FATE_REFUSED, index, ret);
	pattern(want, bytes_of(index), index);
	expect_entry(info.bytes == bytes_of(index) && info.tag == index &&
			     !memcmp(got, want, bytes_of(index)),
		     index, ret);
}

static void check_entries(uint64_t next)
{
	expect_range(0, next);
	for (uint64_t i = 0; i < NEXT; i++)
		check_entry(i);
}

static bool head_is_damaged(void)
{
	return !same(FILE_HEAD, 0, 44) ||
	       images[FILE_HEAD].now_size != images[FILE_HEAD].size;
}

static void check_reader(void)
{
	int ret = maplog_open(store, LOG, MAPLOG_READ, &tlog);

	if (ret) {
		tlog = NULL;
		ck_assert_msg(head_is_damaged(), "opening gives %d", ret);
		ck_assert(ret == -EUCLEAN || ret == -ENOTSUP ||
			  ret == -ENOENT || ret == -ELOOP);
		return;
	}
	check_entries(NEXT);
	close_log();
}

static void check_writer(void)
{
	open_log(MAPLOG_WRITE);
	check_entries(NEXT);
	ck_assert_uint_eq(append("next"), NEXT);
	expect_text(NEXT, "next");
	close_log();
	open_log(MAPLOG_WRITE);
	check_entries(NEXT + 1);
	expect_text(NEXT, "next");
	close_log();
}

void image_check(bool writer)
{
	if (writer)
		check_writer();
	else
		check_reader();
}
