/* SPDX-License-Identifier: MIT */
/*
 * Tests of recovery: torn tails are cut and kept, what is good stays. Tears
 * are zeros in a file of its full size, as a power cut leaves them.
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
#include "format.h"
#include "tear.h"

/* What a tear has left of some bytes, up to the last that is not zero. */
static size_t left_of(uint64_t at, uint64_t end, char *to)
{
	size_t n = end - at;

	read_file(tear_data(), at, to, n);
	while (n && !to[n - 1])
		n--;
	return n;
}

struct torn {
	char bytes[TORN * 24 + TORN_END];
	size_t n;
};

static struct torn torn;

static void look_at_torn(void)
{
	torn.n = left_of(RECORD_AT(KEPT), RECORD_AT(KEPT + TORN), torn.bytes);
	torn.n += left_of(KEPT_END, TORN_END, torn.bytes + torn.n);
}

/* The .torn file: a line, then what was torn. */
static void expect_torn_file(const char *suffix)
{
	const char *path = log_path(KEPT, suffix);
	size_t size;
	char text[512];
	char *rest;

	ck_assert_uint_eq(status().recovery.torn_bytes, torn.n);
	if (!torn.n) {
		ck_assert(!file_exists(path));
		return;
	}
	ck_assert_uint_eq(status().recovery.torn_index, KEPT);
	size = file_size(path);
	ck_assert_uint_lt(size, sizeof(text));
	read_file(path, 0, text, size);
	rest = memchr(text, '\n', size);
	ck_assert_ptr_nonnull(rest);
	rest++;
	ck_assert_uint_eq(size - (size_t)(rest - text), torn.n);
	ck_assert_int_eq(memcmp(rest, torn.bytes, torn.n), 0);
}

/* Cut, go on, and do it all again: leftovers must not come back. */
static void expect_cut(void)
{
	look_at_torn();
	open_log(MAPLOG_WRITE);
	tear_expect_kept(KEPT);
	expect_torn_file("torn");
	ck_assert_uint_eq(status().recovery.damaged, 0);
	ck_assert_uint_eq(append("next"), KEPT);
	expect_text(KEPT, "next");
	reopen_log();
	tear_expect_kept(KEPT + 1);
	expect_text(KEPT, "next");
	ck_assert_uint_eq(status().recovery.torn_bytes, 0);
}

START_TEST(untorn_batch_is_kept)
{
	open_log(MAPLOG_WRITE);
	tear_expect_kept(KEPT + TORN);
	expect_text(2, "torn1");
	expect_text(3, "torn2");
	expect_text(4, "tor");
	ck_assert_uint_eq(counters().durable, KEPT + TORN);
	ck_assert_uint_eq(status().recovery.scanned, TORN);
	ck_assert_uint_eq(status().recovery.torn_bytes, 0);
	ck_assert_int_eq(count_files(".torn"), 0);
}
END_TEST

/* Looped over every byte of the batch's payload. */
START_TEST(tear_in_the_payload_cuts_the_batch)
{
	tear_payload((uint64_t)_i);
	expect_cut();
}
END_TEST

/* Looped over every byte of its records. */
START_TEST(tear_in_the_records_cuts_the_batch)
{
	tear_records((uint64_t)_i);
	expect_cut();
}
END_TEST

/* Looped over pairs of both. */
START_TEST(tear_in_both_cuts_the_batch)
{
	tear_payload((uint64_t)_i % 14);
	tear_records((uint64_t)_i % 73);
	expect_cut();
}
END_TEST

/* Only one byte is lost. A disk loses sectors: then the bit that says whether
 * the batch goes on is not lost alone. */
START_TEST(hole_in_the_records_cuts_the_batch)
{
	char byte;

	if (_i % 24 == 15)
		return;

	read_file(tear_data(), RECORD_AT(KEPT) + (uint64_t)_i, &byte, 1);
	if (!byte)
		return;
	zero_file(tear_data(), RECORD_AT(KEPT) + (uint64_t)_i,
		  RECORD_AT(KEPT) + (uint64_t)_i + 1);
	expect_cut();
}
END_TEST

static void append_next_and_die(void)
{
	open_log(MAPLOG_WRITE);
	append_batch("next1", "next2", NULL);
	fault_set(CALL_SYNC, 0, 1, FAULT_DIE);
	append_batch("torn1", "torn2", "tor", NULL);
	(void)maplog_sync(tlog, NULL);
}

/* Two crashes: what the second one tears lies where the first one tore. */
START_TEST(second_tear_in_the_same_place_is_cut_too)
{
	tear_payload((uint64_t)_i);
	ck_assert_int_eq(run_child(append_next_and_die), DIED);
	zero_file(tear_data(), KEPT_END + 10 + (uint64_t)_i, TORN_END + 10);
	open_log(MAPLOG_WRITE);
	tear_expect_kept(KEPT + 2);
	expect_text(2, "next1");
	expect_text(3, "next2");
	ck_assert_uint_eq(append("last"), 4);
	reopen_log();
	tear_expect_kept(KEPT + 3);
	expect_text(4, "last");
	ck_assert_int_eq(count_files(".torn"), 2);
}
END_TEST

START_TEST(evidence_of_before_is_not_overwritten)
{
	make_file(log_path(KEPT, "torn"), "evidence");
	make_file(log_path(KEPT, "torn.1"), "more");
	tear_payload(3);
	look_at_torn();
	open_log(MAPLOG_WRITE);
	expect_torn_file("torn.2");
	ck_assert(file_holds(log_path(KEPT, "torn"), "evidence", 8));
	ck_assert(file_holds(log_path(KEPT, "torn.1"), "more", 4));
}
END_TEST

START_TEST(full_disk_does_not_keep_a_torn_log_from_opening)
{
	tear_payload(3);
	/* The first file that is made, or the first bytes written to it. */
	fault_set(_i ? CALL_WRITE : CALL_OPEN, _i ? 0 : 12, 1, ENOSPC);
	if (maplog_open(store, LOG, MAPLOG_WRITE, &tlog)) {
		tlog = NULL;
		fault_clear();
		open_log(MAPLOG_WRITE);
	}
	fault_clear();
	tear_expect_kept(KEPT);
	append("next");
	reopen_log();
	tear_expect_kept(KEPT + 1);
}
END_TEST

/* A large batch over many sectors: any of them may be lost. */
#define LARGE	      30
#define LARGE_BYTES   700
#define LARGE_SECTORS ((TORN_END + LARGE * LARGE_BYTES + 511) / 512)
#define LARGE_RECORDS (((5 + LARGE) * 24 + 511) / 512)

static void append_large(void)
{
	struct maplog_entry entries[LARGE];
	static char bytes[LARGE][LARGE_BYTES];

	open_log(MAPLOG_WRITE);
	for (uint64_t i = 0; i < LARGE; i++) {
		pattern(bytes[i], LARGE_BYTES, 5 + i);
		entries[i] =
			(struct maplog_entry){ bytes[i], LARGE_BYTES, 5 + i };
	}
	ck_assert_int_eq(maplog_append(tlog, entries, LARGE, NULL), 0);
}

static void lose_sector(uint64_t n)
{
	uint64_t end = TORN_END + LARGE * LARGE_BYTES;
	uint64_t at = n * 512;

	if (n >= LARGE_SECTORS) {
		at = PAYLOAD_SIZE + (n - LARGE_SECTORS) * 512;
		end = RECORD_AT(5 + LARGE);
		/* Records of before are durable. */
		if (at < RECORD_AT(5))
			at = RECORD_AT(5);
	} else if (at < TORN_END) {
		at = TORN_END;
	}
	if (end > at / 512 * 512 + 512)
		end = at / 512 * 512 + 512;
	zero_file(tear_data(), at, end);
}

static void make_large(void)
{
	open_log(MAPLOG_WRITE);
	close_log();
	ck_assert_int_eq(run_child(append_large), 0);
}

static void expect_large_cut(void)
{
	open_log(MAPLOG_WRITE);
	tear_expect_kept(5);
	append_many(LARGE, LARGE_BYTES);
	reopen_log();
	tear_expect_kept(5 + LARGE);
	expect_patterns(5, 5 + LARGE, LARGE_BYTES);
}

/* Looped over the sectors of payload and records. */
START_TEST(lost_sector_cuts_the_batch)
{
	make_large();
	lose_sector((uint64_t)_i);
	expect_large_cut();
}
END_TEST

/* Looped over seeds: any sectors, at random. */
START_TEST(lost_sectors_cut_the_batch)
{
	make_large();
	srandom((unsigned)_i);
	for (int n = 0; n <= _i % 7; n++)
		lose_sector((uint64_t)random() %
			    (LARGE_SECTORS + LARGE_RECORDS));
	expect_large_cut();
}
END_TEST

START_TEST(all_sectors_make_the_batch)
{
	make_large();
	open_log(MAPLOG_WRITE);
	tear_expect_kept(5 + LARGE);
	expect_patterns(5, 5 + LARGE, LARGE_BYTES);
}
END_TEST

static void append_two_batches(void)
{
	open_log(MAPLOG_WRITE);
	append_batch("bad1", "bad2", NULL);
	append_batch("good", NULL);
}

/* Looped over the bytes of the first of two batches: with a good one behind it
 * it is damage, and nothing is cut. */
START_TEST(bad_batch_with_a_good_one_behind_is_not_cut)
{
	uint64_t at = TORN_END + (uint64_t)_i;

	open_log(MAPLOG_WRITE);
	close_log();
	ck_assert_int_eq(run_child(append_two_batches), 0);
	zero_file(tear_data(), at, at + 1);
	open_log(MAPLOG_WRITE);
	tear_expect_kept(8);
	ck_assert_int_eq(read_error(_i < 4 ? 5 : 6), -EBADMSG);
	ck_assert_int_eq(read_error(_i < 4 ? 6 : 5), 0);
	expect_text(7, "good");
	ck_assert_uint_eq(status().recovery.damaged, 1);
	ck_assert_uint_eq(status().recovery.torn_bytes, 0);
	ck_assert_uint_eq(append("next"), 8);
	reopen_log();
	expect_text(8, "next");
	expect_text(7, "good");
	ck_assert_int_eq(read_error(_i < 4 ? 5 : 6), -EBADMSG);
}
END_TEST

/* Looped over the bytes of durable entries: damage, whatever is behind. */
START_TEST(bad_entry_before_the_mark_is_not_cut)
{
	uint64_t bad = (uint64_t)_i / 4;

	tear_payload(0);
	tear_records(0);
	zero_file(tear_data(), (uint64_t)_i, (uint64_t)_i + 1);
	open_log(MAPLOG_WRITE);
	expect_range(0, KEPT);
	ck_assert_int_eq(read_error(bad), -EBADMSG);
	ck_assert_int_eq(read_error(1 - bad), 0);
	ck_assert_uint_eq(append("next"), KEPT);
	reopen_log();
	expect_text(KEPT, "next");
	ck_assert_int_eq(read_error(bad), -EBADMSG);
	ck_assert_int_eq(read_error(1 - bad), 0);
}
END_TEST

/* What a failed sync has left in the page cache looks as if it were on disk:
 * it is written again before it is shown, whatever the cache thinks of it. */
START_TEST(what_is_past_the_mark_is_written_again)
{
	struct stat idx;
	struct stat log;

	ck_assert_int_eq(fstatat(store, tear_data(), &log, 0), 0);
	ck_assert_int_eq(fstatat(store, log_path(0, "idx"), &idx, 0), 0);
	fault_clear();
	open_log(MAPLOG_WRITE);
	ck_assert(calls_wrote(log.st_ino, KEPT_END, TORN_END));
	ck_assert(calls_wrote(log.st_ino, RECORD_AT(KEPT),
			      RECORD_AT(KEPT + TORN)));
	ck_assert(calls_wrote(idx.st_ino, KEPT * RECORD_SIZE,
			      (KEPT + TORN) * RECORD_SIZE));
	ck_assert(!calls_wrote(log.st_ino, 4096, 4097));
}
END_TEST

static Suite *recover_suite(void)
{
	Suite *suite = suite_create("recover");
	TCase *tears = unit_case(suite, "tears");
	TCase *sectors = unit_case(suite, "sectors");
	TCase *rules = unit_case(suite, "rules");

	tcase_add_checked_fixture(tears, tear_make, NULL);
	tcase_add_checked_fixture(sectors, tear_make, NULL);
	tcase_add_checked_fixture(rules, tear_make, NULL);
	tcase_add_test(tears, untorn_batch_is_kept);
	tcase_add_loop_test(tears, tear_in_the_payload_cuts_the_batch, 0, 13);
	tcase_add_loop_test(tears, tear_in_the_records_cuts_the_batch, 0, 72);
	tcase_add_loop_test(tears, tear_in_both_cuts_the_batch, 0, 146);
	tcase_add_loop_test(tears, hole_in_the_records_cuts_the_batch, 0, 72);
	tcase_add_loop_test(tears, second_tear_in_the_same_place_is_cut_too, 0,
			    13);
	tcase_add_test(tears, evidence_of_before_is_not_overwritten);
	tcase_add_loop_test(
		tears, full_disk_does_not_keep_a_torn_log_from_opening, 0, 2);
	tcase_add_loop_test(sectors, lost_sector_cuts_the_batch, 0,
			    LARGE_SECTORS + LARGE_RECORDS);
	tcase_add_loop_test(sectors, lost_sectors_cut_the_batch, 0, 50);
	tcase_add_test(sectors, all_sectors_make_the_batch);
	tcase_add_loop_test(rules, bad_batch_with_a_good_one_behind_is_not_cut,
			    0, 8);
	tcase_add_loop_test(rules, bad_entry_before_the_mark_is_not_cut, 0, 8);
	tcase_add_test(rules, what_is_past_the_mark_is_written_again);
	return suite;
}

int main(void)
{
	return unit_run(recover_suite());
}
