/* SPDX-License-Identifier: MIT */
/* Tests of the active segment: its two files, space, and what is put. */
#include "segment.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc.h"
#include "dir.h"
#include "files.h"
#include "fixture.h"
#include "record.h"
#include "trailer.h"

#define BASE 42
#define DATA "00000000000000000042.log"
#define IDX  "00000000000000000042.idx"
#define SEED 99

static const uint8_t uuid[16] = { 1 };
static const char *const suffix[2] = { DIR_LOG, DIR_INDEX };
static struct maplog_trailer trailer;
static struct segment *segment_;
static bool begun;

static int create(void)
{
	trailer_init(&trailer, uuid, BASE, 0, MIB);
	return segment_create(store, &trailer, 0644, suffix, &begun, &segment_);
}

static void make(void)
{
	ck_assert_int_eq(create(), 0);
}

static void destroy(void)
{
	segment_close(segment_);
	segment_ = NULL;
}

static void put(const char *text)
{
	const struct maplog_entry entry = { text, strlen(text), 7 };

	ck_assert_int_eq(segment_reserve(segment_, entry.bytes, 1), 0);
	segment_put(segment_, SEED, 5, &entry);
}

static uint64_t blocks(const char *name)
{
	struct stat st;

	ck_assert_int_eq(fstatat(store, name, &st, 0), 0);
	return (uint64_t)st.st_blocks * 512;
}

START_TEST(files_have_their_full_size_and_little_space)
{
	ck_assert_uint_eq(file_size(DATA), trailer_file_size(&trailer));
	ck_assert_uint_eq(file_size(IDX), RECORDS * RECORD_SIZE);
	ck_assert_uint_le(blocks(DATA), 16384);
	ck_assert_uint_le(blocks(IDX), 4096);
}
END_TEST

START_TEST(space_that_is_given_back_can_be_reserved_again)
{
	uint64_t before;

	put("first");
	before = blocks(DATA);
	segment_->in_place = false;
	ck_assert(segment_give_back(segment_));
	ck_assert_uint_lt(blocks(DATA), before);
	ck_assert(!segment_give_back(segment_));
	ck_assert_int_eq(segment_reserve(segment_, 8000, 300), 0);
	ck_assert_uint_ge(blocks(DATA), before);
	ck_assert_int_eq(memcmp(segment_->data, "first", 5), 0);
}
END_TEST

START_TEST(space_that_cannot_be_given_back_is_kept)
{
	put("first");
	segment_->in_place = false;
	fault_set(CALL_ALLOCATE, 0, -1, EOPNOTSUPP);
	ck_assert(!segment_give_back(segment_));
	fault_clear();
	put("other");
}
END_TEST

START_TEST(record_is_put_in_the_copy_and_in_the_idx)
{
	struct maplog_record copy;
	struct maplog_record index;
	char text[6];

	put("first");
	put("other");
	read_file(DATA, 5, text, 5);
	ck_assert_int_eq(memcmp(text, "other", 5), 0);
	read_file(DATA, RECORD_AT(1), &copy, sizeof(copy));
	read_file(IDX, RECORD_SIZE, &index, sizeof(index));
	ck_assert_int_eq(memcmp(&copy, &index, sizeof(copy)), 0);
	ck_assert_uint_eq(copy.end, 10);
	ck_assert_uint_eq(copy.tag, 7);
	ck_assert_uint_eq(copy.crc,
			  crc_record(SEED, BASE + 1, &copy, "other", 5));
}
END_TEST

START_TEST(name_that_is_taken_is_refused_and_left)
{
	destroy();
	write_file(DATA, 0, "mine", 4);
	ck_assert_int_eq(create(), -EEXIST);
	ck_assert(file_exists(DATA));
	ck_assert(file_holds(DATA, "mine", 4));
}
END_TEST

START_TEST(idx_without_a_segment_is_in_nobodys_way)
{
	destroy();
	ck_assert_int_eq(unlinkat(store, DATA, 0), 0);
	write_file(IDX, 0, "old", 3);
	make();
	ck_assert(!file_holds(IDX, "old", 3));
}
END_TEST

/* A power cut could bring it back beside a new .log that has lost its bytes:
 * its records would be true again of what is all zeros. */
START_TEST(idx_without_a_segment_is_gone_for_good_before_there_is_one)
{
	destroy();
	ck_assert_int_eq(unlinkat(store, DATA, 0), 0);
	fault_clear();
	fault_set(CALL_SYNC_DIR, 0, 1, EIO);
	ck_assert_int_eq(create(), -EIO);
	ck_assert(!file_exists(DATA));
	fault_clear();
	make();
	ck_assert_int_eq(calls_made(CALL_SYNC_DIR), 0);
}
END_TEST

/* Looped over the calls of creating, each failing once. */
START_TEST(segment_that_cannot_be_created_leaves_nothing)
{
	static const struct {
		enum call call;
		int after;
	} faults[] = {
		{ CALL_OPEN, 0 },   { CALL_OPEN, 1 },	{ CALL_RESIZE, 0 },
		{ CALL_RESIZE, 1 }, { CALL_WRITE, 0 },	{ CALL_MAP, 0 },
		{ CALL_MAP, 1 },    { CALL_UNLINK, 0 }, { CALL_NEW, 0 },
	};

	destroy();
	ck_assert_int_eq(dir_unlink_segment(store, BASE), 0);
	fault_clear();
	fault_set(faults[_i].call, faults[_i].after, 1, ENOMEM);
	ck_assert_int_eq(create(), -ENOMEM);
	ck_assert(!file_exists(DATA));
	ck_assert(!file_exists(IDX));
	fault_clear();
	make();
}
END_TEST

START_TEST(space_is_reserved_before_it_is_written)
{
	ck_assert_int_eq(segment_reserve(segment_, 100000, 10), 0);
	ck_assert_uint_ge(segment_->allocated[REGION_PAYLOAD], 100000);
	ck_assert_uint_ge(segment_->allocated[REGION_COPY], 240);
	ck_assert_uint_ge(segment_->allocated[REGION_INDEX], 240);
	ck_assert_uint_ge(blocks(DATA), 100000);
}
END_TEST

START_TEST(space_is_reserved_to_the_end_but_not_beyond)
{
	ck_assert_int_eq(segment_reserve(segment_, MIB, RECORDS), 0);
	ck_assert_uint_eq(segment_->allocated[REGION_PAYLOAD], MIB);
	ck_assert_uint_eq(segment_->allocated[REGION_COPY],
			  RECORDS * RECORD_SIZE);
	ck_assert_uint_eq(file_size(DATA), trailer_file_size(&trailer));
}
END_TEST

START_TEST(interrupted_reservation_is_gone_on_with)
{
	fault_set(CALL_ALLOCATE, 0, 3, EINTR);
	ck_assert_int_eq(segment_reserve(segment_, 100, 1), 0);
}
END_TEST

/* Looped over the regions. Where stores may need space, also over those. */
START_TEST(full_disk_refuses_a_reservation)
{
	if (_i < 3) {
		fault_set(CALL_ALLOCATE, _i, -1, ENOSPC);
	} else {
		segment_->in_place = false;
		fault_set(CALL_ADVISE, _i - 3, 1, EFAULT);
	}
	ck_assert_int_eq(segment_reserve(segment_, 100, 1), -ENOSPC);
	fault_clear();
	put("text");
}
END_TEST

/* As a file system does that was shut down: it has space, but takes nothing. */
START_TEST(disk_that_has_failed_is_not_called_full)
{
	segment_->in_place = false;
	fault_set(CALL_ADVISE, 0, 1, EFAULT);
	fault_set(CALL_WRITE, 0, 1, EIO);
	ck_assert_int_eq(segment_reserve(segment_, 100, 1), -EIO);
}
END_TEST

START_TEST(preflight_touches_what_will_be_stored_to)
{
	segment_->in_place = false;
	fault_clear();
	put("text");
	ck_assert_int_eq(calls_made(CALL_ADVISE), 3);
}
END_TEST

START_TEST(fits_is_exact)
{
	ck_assert(segment_fits(segment_, MIB, RECORDS));
	ck_assert(!segment_fits(segment_, MIB + 1, 1));
	ck_assert(!segment_fits(segment_, 0, RECORDS + 1));
	put("x");
	ck_assert(segment_fits(segment_, MIB - 1, RECORDS - 1));
	ck_assert(!segment_fits(segment_, MIB, 1));
	ck_assert(!segment_fits(segment_, 0, RECORDS));
}
END_TEST

START_TEST(first_sync_makes_the_names_durable_too)
{
	fault_clear();
	ck_assert_int_eq(segment_sync(segment_, store), 0);
	ck_assert_int_eq(calls_made(CALL_SYNC), 1);
	ck_assert_int_eq(calls_made(CALL_SYNC_DIR), 1);
	ck_assert_int_eq(segment_sync(segment_, store), 0);
	ck_assert_int_eq(calls_made(CALL_SYNC_DIR), 1);
}
END_TEST

START_TEST(names_are_tried_again_after_a_failure)
{
	fault_set(CALL_SYNC_DIR, 0, 1, EIO);
	ck_assert_int_eq(segment_sync(segment_, store), -EIO);
	ck_assert_int_eq(segment_sync(segment_, store), 0);
	ck_assert_int_eq(calls_made(CALL_SYNC_DIR), 2);
}
END_TEST

START_TEST(cut_leaves_what_it_holds)
{
	put("text");
	segment_cut(segment_, segment_->used, segment_->count);
	ck_assert_uint_eq(file_size(DATA), 4);
	ck_assert_uint_eq(file_size(IDX), RECORD_SIZE);
}
END_TEST

START_TEST(opening_extends_an_idx_that_is_missing_or_short)
{
	destroy();
	if (_i)
		shorten_file(IDX, 5);
	else
		ck_assert_int_eq(unlinkat(store, IDX, 0), 0);
	ck_assert_int_eq(segment_open(store, &trailer, 0644, &segment_), 0);
	ck_assert_uint_eq(file_size(IDX), RECORDS * RECORD_SIZE);
	ck_assert_uint_eq(segment_->count, 0);
}
END_TEST

START_TEST(opening_a_file_of_another_size_is_refused)
{
	destroy();
	shorten_file(DATA, 12345);
	ck_assert_int_eq(segment_open(store, &trailer, 0644, &segment_),
			 -EUCLEAN);
}
END_TEST

static Suite *segment_suite(void)
{
	Suite *suite = suite_create("segment");
	TCase *files = unit_case(suite, "files");
	TCase *space = unit_case(suite, "space");

	tcase_add_checked_fixture(files, make, destroy);
	tcase_add_checked_fixture(space, make, destroy);
	tcase_add_test(files, files_have_their_full_size_and_little_space);
	tcase_add_test(files, space_that_is_given_back_can_be_reserved_again);
	tcase_add_test(files, space_that_cannot_be_given_back_is_kept);
	tcase_add_test(files, record_is_put_in_the_copy_and_in_the_idx);
	tcase_add_test(files, name_that_is_taken_is_refused_and_left);
	tcase_add_test(files, idx_without_a_segment_is_in_nobodys_way);
	tcase_add_test(
		files,
		idx_without_a_segment_is_gone_for_good_before_there_is_one);
	tcase_add_loop_test(
		files, segment_that_cannot_be_created_leaves_nothing, 0, 9);
	tcase_add_test(files, first_sync_makes_the_names_durable_too);
	tcase_add_test(files, names_are_tried_again_after_a_failure);
	tcase_add_test(files, cut_leaves_what_it_holds);
	tcase_add_loop_test(
		files, opening_extends_an_idx_that_is_missing_or_short, 0, 2);
	tcase_add_test(files, opening_a_file_of_another_size_is_refused);
	tcase_add_test(space, space_is_reserved_before_it_is_written);
	tcase_add_test(space, space_is_reserved_to_the_end_but_not_beyond);
	tcase_add_test(space, interrupted_reservation_is_gone_on_with);
	tcase_add_loop_test(space, full_disk_refuses_a_reservation, 0, 6);
	tcase_add_test(space, disk_that_has_failed_is_not_called_full);
	tcase_add_test(space, preflight_touches_what_will_be_stored_to);
	tcase_add_test(space, fits_is_exact);
	return suite;
}

int main(void)
{
	return unit_run(segment_suite());
}
