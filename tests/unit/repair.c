/* SPDX-License-Identifier: MIT */
/*
 * Tests of repair: what a checksum proves comes back as it was, what nothing
 * proves stays as it is, and a dry run changes nothing.
 */
#include "repair.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"
#include "image.h"

/* Of a small entry. */
#define BYTES 37

struct tally {
	uint64_t n[MAPLOG_REMEDY_HEAD + 1];
	struct maplog_finding last;
};

static void count(void *arg, const struct maplog_finding *finding)
{
	struct tally *tally = arg;

	tally->n[finding->remedy] += finding->count;
	tally->n[MAPLOG_REMEDY_HEAD] += finding->remedy == MAPLOG_REMEDY_HEAD;
	tally->last = *finding;
}

static struct tally repair(bool apply)
{
	struct tally tally = { .last = { .count = 0 } };

	ck_assert_int_eq(maplog_repair(store, LOG, apply, count, &tally), 0);
	return tally;
}

/* Whether a file is what it was. */
static bool is_as_it_was(enum image_file file)
{
	uint64_t size = image_size(file);
	uint8_t *now = malloc(size);
	bool same;

	ck_assert_ptr_nonnull(now);
	read_file(image_path(file), 0, now, size);
	same = !memcmp(now, image_bytes(file), size);
	free(now);
	return same;
}

START_TEST(nothing_is_found_in_a_log_that_is_whole)
{
	struct tally tally;

	image_make((enum ending)_i);
	for (int apply = 0; apply < 2; apply++) {
		tally = repair(apply);
		for (int n = 0; n <= MAPLOG_REMEDY_HEAD; n++)
			ck_assert_uint_eq(tally.n[n], 0);
	}
	for (enum image_file file = 0; file < FILES; file++)
		ck_assert(is_as_it_was(file));
	ck_assert_int_eq(count_files(".repaired"), 0);
}
END_TEST

/* Any bit of records or payload, and so of what the log needs of them. */
static void repair_bit(enum image_file file, uint64_t bit)
{
	uint64_t at = bit / 8;

	image_now(file)[at] ^= (uint8_t)(1U << bit % 8);
	image_write(file, at, at + 1);
	(void)repair(false);
	ck_assert(!is_as_it_was(file));
	ck_assert_uint_eq(repair(true).n[MAPLOG_REMEDY_NONE], 0);
	ck_assert(is_as_it_was(file));
	ck_assert_int_eq(count_files(".repaired"), 1);
	image_undo(file, at, at + 1);
	ck_assert_int_eq(unlinkat(store, find_file(".repaired"), 0), 0);
}

static uint64_t prime(void)
{
	const char *text = getenv("MAPLOG_STRIDE");

	return text ? strtoull(text, NULL, 10) : 1009;
}

/* How many bytes of a file the log consists of. */
static uint64_t used_of(enum image_file file)
{
	uint64_t used = 0;

	for (uint64_t i = 0; i < image_next(); i++) {
		struct image_place place = image_place(i);

		if (place.log == file)
			used = place.end;
		if (place.log + 1 == file)
			used = (place.rel + 1) * RECORD_SIZE;
	}
	return used;
}

/* Looped over endings, then over files. */
START_TEST(flipped_bit_is_flipped_back)
{
	enum image_file file = FILE_LOG0 + (enum image_file)(_i / ENDINGS);

	image_make((enum ending)(_i % ENDINGS));
	for (uint64_t bit = 0; bit < used_of(file) * 8; bit += prime()) {
		if (image_holds(file, bit / 8 / SECTOR))
			repair_bit(file, bit);
	}
}
END_TEST

static void harm(enum image_file file, uint64_t from, uint64_t to)
{
	memset(image_now(file) + from, 0xa5, to - from);
	image_write(file, from, to);
}

/* Looped over which of the two is harmed. */
START_TEST(records_of_an_active_segment_come_back_from_the_others)
{
	enum image_file file = _i ? FILE_IDX2 : FILE_LOG2;
	uint64_t at = _i ? 0 : PAYLOAD_SIZE;
	struct tally tally;

	image_make(ENDING_CLOSED);
	harm(file, at, at + 10 * RECORD_SIZE);
	ck_assert_uint_eq(repair(false).n[MAPLOG_REMEDY_COPY], 10);
	tally = repair(true);
	ck_assert_uint_eq(tally.n[MAPLOG_REMEDY_COPY], 10);
	ck_assert_uint_eq(tally.last.offset, at + 9 * RECORD_SIZE);
	ck_assert_uint_eq(tally.last.file, _i ? MAPLOG_INDEX : MAPLOG_DATA);
	ck_assert(is_as_it_was(file));
	image_undo(file, at, at + 10 * RECORD_SIZE);
	image_check(false);
	image_check(true);
}
END_TEST

/* The sums of a long entry outlive the repair of the one before it. */
START_TEST(long_entry_behind_a_mended_one_is_good)
{
	make_log("segment-size", "1M", NULL);
	append_pattern(BYTES);
	append_pattern(20 << 10);
	append_pattern(BYTES);
	close_log();
	flip_bit(log_path(0, "log"), 5, 3);
	ck_assert_uint_eq(repair(true).n[MAPLOG_REMEDY_BIT], 1);
	ck_assert_uint_eq(repair(true).n[MAPLOG_REMEDY_BIT], 0);
	open_log(MAPLOG_READ);
	expect_pattern(0, BYTES);
	expect_pattern(1, 20 << 10);
	expect_pattern(2, BYTES);
}
END_TEST

static void fill_records(void)
{
	static struct maplog_entry entries[RECORDS];

	open_log(MAPLOG_WRITE);
	for (uint64_t i = 0; i < RECORDS; i++)
		entries[i] = (struct maplog_entry){ "0123456789abcdef", 16, i };
	ck_assert_int_eq(maplog_append(tlog, entries, RECORDS, NULL), 0);
	ck_assert_int_eq(maplog_sync(tlog, NULL), 0);
}

/* Looped over where they say that their entries end: anywhere, so that each
 * is checked with most of the segment, or where they do. */
START_TEST(very_many_damaged_records_take_no_long_time)
{
	static struct maplog_record records[RECORDS];
	uint64_t seed = 1;

	create_log("segment-size", "1M", "sync", "manual", NULL);
	ck_assert_int_eq(run_child(fill_records), 0);
	read_file(log_path(0, "log"), PAYLOAD_SIZE, records, sizeof(records));
	for (uint64_t i = 0; i < RECORDS; i++) {
		seed = seed * 6364136223846793005U + 1442695040888963407U;
		records[i].crc ^= (uint32_t)(seed >> 32) | 3;
		if (_i)
			records[i].end = seed >> 33 & (PAYLOAD_SIZE - 1);
	}
	write_file(log_path(0, "log"), PAYLOAD_SIZE, records, sizeof(records));
	write_file(log_path(0, "idx"), 0, records, sizeof(records));
	ck_assert_uint_eq(repair(false).n[MAPLOG_REMEDY_NONE], RECORDS);
}
END_TEST

START_TEST(what_nothing_proves_is_lost_and_stays)
{
	struct image_place place;
	struct tally tally;

	image_make(ENDING_KILLED);
	place = image_place(3);
	harm(place.log, place.start + 10, place.start + 20);
	tally = repair(true);
	ck_assert_uint_eq(tally.n[MAPLOG_REMEDY_NONE], 1);
	ck_assert_uint_eq(tally.last.index, 3);
	ck_assert_int_eq(count_files(".repaired"), 0);
	image_check(false);
	image_check(true);
}
END_TEST

/* Looped over the files of segments. */
START_TEST(entries_of_a_lost_file_are_lost)
{
	enum image_file file = FILE_LOG0 + (enum image_file)_i;
	uint64_t lost = 0;

	image_make(ENDING_CLOSED);
	for (uint64_t i = 0; i < image_next(); i++) {
		enum image_file log = image_place(i).log;

		lost += log == file || (log + 1 == file && log != FILE_LOG2);
	}
	ck_assert_int_eq(unlinkat(store, image_path(file), 0), 0);
	image_lose(file);
	ck_assert_uint_eq(repair(true).n[MAPLOG_REMEDY_NONE], lost);
	image_check(true);
}
END_TEST

START_TEST(lost_head_is_made_again)
{
	struct tally tally;

	image_make(ENDING_CLOSED);
	zero_file(LOG "/head", 0, 64);
	tally = repair(false);
	ck_assert_uint_eq(tally.n[MAPLOG_REMEDY_HEAD], 1);
	tally = repair(true);
	ck_assert_uint_eq(tally.n[MAPLOG_REMEDY_HEAD], 1);
	ck_assert_uint_eq(tally.n[MAPLOG_REMEDY_NONE], 0);
	image_check(false);
}
END_TEST

START_TEST(evidence_is_the_bytes_that_were_there)
{
	struct image_place place;
	char text[100] = { 0 };

	image_make(ENDING_CLOSED);
	place = image_place(1);
	image_now(place.log)[place.start] ^= 4;
	image_write(place.log, place.start, place.start + 1);
	make_file(log_path(0, "repaired"), "from before");
	(void)repair(true);
	ck_assert(file_holds(log_path(0, "repaired"), "from before", 11));
	snprintf(text, sizeof(text),
		 "entry 1: 1 bytes of 00000000000000000000.log from offset "
		 "%d were\n%c\n",
		 (int)place.start, image_now(place.log)[place.start]);
	ck_assert_uint_eq(file_size(log_path(0, "repaired.1")), strlen(text));
	ck_assert(file_holds(log_path(0, "repaired.1"), text, strlen(text)));
}
END_TEST

START_TEST(log_that_is_written_is_not_repaired)
{
	image_make(ENDING_CLOSED);
	open_log(MAPLOG_WRITE);
	ck_assert_int_eq(maplog_repair(store, LOG, false, NULL, NULL), -EBUSY);
	ck_assert_int_eq(maplog_repair(store, "no-log", false, NULL, NULL),
			 -ENOENT);
}
END_TEST

START_TEST(head_of_nobody_cannot_be_made_again)
{
	image_make(ENDING_CLOSED);
	zero_file(LOG "/head", 0, 64);
	ck_assert_int_eq(unlinkat(store, image_path(FILE_LOG2), 0), 0);
	ck_assert_int_eq(maplog_repair(store, LOG, true, NULL, NULL), -EUCLEAN);
}
END_TEST

START_TEST(log_of_another_version_is_not_repaired)
{
	const uint32_t other = __builtin_bswap32(MAPLOG_FORMAT_VERSION);

	create_log(NULL);
	write_file(LOG "/head", offsetof(struct maplog_head, version), &other,
		   sizeof(other));
	ck_assert_int_eq(maplog_repair(store, LOG, true, NULL, NULL), -ENOTSUP);
}
END_TEST

START_TEST(repair_without_memory_says_so)
{
	image_make(ENDING_CLOSED);
	for (int after = 0; after < 3; after++) {
		fault_set(CALL_NEW, after, 1, ENOMEM);
		ck_assert_int_eq(maplog_repair(store, LOG, true, NULL, NULL),
				 -ENOMEM);
	}
	ck_assert_int_eq(count_files(".repaired"), 0);
}
END_TEST

/* Looped over calls: nothing is changed of which the evidence is not kept. */
START_TEST(repair_that_fails_has_changed_nothing)
{
	static const enum call calls[] = { CALL_OPEN, CALL_WRITE, CALL_SYNC,
					   CALL_SYNC_DIR, CALL_MAP };
	enum call call = calls[_i % 5];
	int ret = 0;

	image_make(ENDING_CLOSED);
	image_now(FILE_LOG1)[7] ^= 4;
	image_write(FILE_LOG1, 7, 8);
	for (int after = 0; !ret; after++) {
		fault_set(call, after, 1, ENOSPC);
		ret = maplog_repair(store, LOG, true, NULL, NULL);
		fault_clear();
		if (is_as_it_was(FILE_LOG1))
			break;
		ck_assert_int_eq(ret, -ENOSPC);
		ret = 0;
	}
	ck_assert_int_ge(count_files(".repaired"), 1);
}
END_TEST

static void make_damaged(void)
{
	make_log("segment-size", "1M", NULL);
	append_many(5, BYTES);
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	append_many(5, BYTES);
	ck_assert_int_eq(maplog_trim(tlog, 1), 0);
	close_log();
	flip_bit(log_path(0, "log"), BYTES + 3, 1);
	flip_bit(log_path(5, "idx"), 2 * RECORD_SIZE + 1, 1);
}

/* Looped over kinds of calls, one after the other. */
START_TEST(repair_that_failed_can_be_repeated)
{
	static const enum call calls[] = {
		CALL_OPEN, CALL_READ,	CALL_WRITE, CALL_SYNC, CALL_SYNC_DIR,
		CALL_MAP,  CALL_ADVISE, CALL_NEW,   CALL_LOCK
	};
	enum call call = calls[_i];
	bool reached = true;

	make_damaged();
	copy_tree(LOG, "damaged");
	for (int n = 0; reached; n++) {
		copy_tree("damaged", LOG);
		fault_clear();
		fault_set(call, n, 1, call == CALL_ADVISE ? EFAULT : EIO);
		(void)maplog_repair(store, LOG, true, NULL, NULL);
		reached = calls_made(call) > n;
		fault_clear();
		ck_assert_uint_eq(repair(true).n[MAPLOG_REMEDY_NONE], 0);
		ck_assert_uint_eq(repair(true).n[MAPLOG_REMEDY_BIT], 0);
		open_log(MAPLOG_READ);
		expect_patterns(1, 10, BYTES);
		close_log();
	}
}
END_TEST

START_TEST(evidence_that_there_is_no_name_for_is_not_done_without)
{
	char suffix[24] = "repaired";

	make_damaged();
	for (int n = 0; n < 1000; n++) {
		if (n)
			snprintf(suffix, sizeof(suffix), "repaired.%d", n);
		make_file(log_path(0, suffix), "before");
	}
	ck_assert_int_eq(maplog_repair(store, LOG, true, NULL, NULL), -EEXIST);
	ck_assert_uint_eq(repair(false).n[MAPLOG_REMEDY_BIT], 1);
}
END_TEST

static Suite *repair_suite(void)
{
	Suite *suite = suite_create("repair");
	TCase *logs = unit_case(suite, "logs");

	tcase_add_loop_test(logs, nothing_is_found_in_a_log_that_is_whole, 0,
			    ENDINGS);
	tcase_add_loop_test(logs, flipped_bit_is_flipped_back, 0, ENDINGS * 6);
	tcase_add_loop_test(
		logs, records_of_an_active_segment_come_back_from_the_others, 0,
		2);
	tcase_add_test(logs, long_entry_behind_a_mended_one_is_good);
	tcase_add_loop_test(logs, very_many_damaged_records_take_no_long_time,
			    0, 2);
	tcase_add_test(logs, what_nothing_proves_is_lost_and_stays);
	tcase_add_loop_test(logs, entries_of_a_lost_file_are_lost, 0, 6);
	tcase_add_test(logs, lost_head_is_made_again);
	tcase_add_test(logs, evidence_is_the_bytes_that_were_there);
	tcase_add_test(logs, log_that_is_written_is_not_repaired);
	tcase_add_test(logs, head_of_nobody_cannot_be_made_again);
	tcase_add_test(logs, log_of_another_version_is_not_repaired);
	tcase_add_loop_test(logs, repair_that_failed_can_be_repeated, 0, 9);
	tcase_add_test(logs,
		       evidence_that_there_is_no_name_for_is_not_done_without);
	tcase_add_test(logs, repair_without_memory_says_so);
	tcase_add_loop_test(logs, repair_that_fails_has_changed_nothing, 0, 5);
	return suite;
}

int main(void)
{
	return unit_run_in_memory(repair_suite());
}
