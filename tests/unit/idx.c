/* SPDX-License-Identifier: MIT */
/*
 * Tests of the .idx of a segment that is read by it from now on: what it says
 * where it, or the copy behind the payload, or both are damaged.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"
#include "format.h"

#define ENTRIES 5
#define HARMED	2

static void seal(void)
{
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
}

static void make(void)
{
	make_log("segment-size", "1M", "sync", "manual", NULL);
}

static void end_by_size(void)
{
	append_many(2, 600 << 10);
	ck_assert_int_eq(maplog_sync(tlog, NULL), 0);
}

static void end_by_truncation(void)
{
	append_many(1, 100);
	ck_assert_int_eq(maplog_truncate(tlog, 5), 0);
}

/* What is checkpointed is read by its .idx from then on, too. */
static void end_by_being_idle(void)
{
	struct maplog_record there;

	append_many(1, 100);
	ck_assert_int_eq(maplog_sync(tlog, NULL), 0);
	do {
		usleep(10000);
		read_file(log_path(0, "idx"), HARMED * RECORD_SIZE, &there,
			  sizeof(there));
	} while (there.end != (HARMED + 1) * 100);
}

static void (*const ends[])(void) = {
	seal,
	end_by_size,
	end_by_truncation,
	end_by_being_idle,
};

static void damage_record(const char *path, uint64_t at)
{
	static const uint8_t harm[RECORD_SIZE] = { 1, 2, 3 };

	write_file(path, at, harm, sizeof(harm));
}

static void damage_end(bool copy)
{
	static const uint32_t far = 1 << 19;

	write_file(log_path(0, copy ? "log" : "idx"),
		   copy ? RECORD_AT(HARMED) : HARMED * RECORD_SIZE, &far,
		   sizeof(far));
}

/* Looped over how it comes to that, then over the record that is damaged. */
START_TEST(record_that_is_proven_is_in_the_index_of_a_sealed_segment)
{
	bool copy = _i % 2;

	append_many(ENTRIES, 100);
	close_log();
	damage_record(log_path(0, copy ? "log" : "idx"),
		      copy ? RECORD_AT(HARMED) : HARMED * RECORD_SIZE);
	open_log(MAPLOG_WRITE);
	ends[_i / 2]();
	expect_patterns(0, ENTRIES, 100);
	close_log();
	open_log(MAPLOG_READ);
	if (ends[_i / 2] != end_by_being_idle)
		expect_patterns(0, ENTRIES, 100);
}
END_TEST

/* An entry's record says that it goes on to where the room for payload ends. */
static void overstate(bool copy, uint64_t rel)
{
	const uint32_t end = PAYLOAD_SIZE;

	write_file(log_path(0, copy ? "log" : "idx"),
		   copy ? RECORD_AT(rel) : rel * RECORD_SIZE, &end,
		   sizeof(end));
}

/* It must not end in SIGBUS. */
static void look_again(struct maplog_view *view)
{
	const volatile char *data = view->data;

	ck_assert_uint_gt(view->bytes, PAYLOAD_SIZE - 1000);
	ck_assert_int_eq(data[view->bytes - 1], 0);
	maplog_view_release(view);
}

/* Looped over how it comes to that. */
START_TEST(damaged_record_that_is_looked_at_is_backed_when_it_is_sealed)
{
	struct maplog_view view;

	append_many(ENTRIES, 100);
	close_log();
	overstate(false, HARMED);
	open_log(MAPLOG_WRITE);
	ck_assert_int_eq(maplog_view(tlog, HARMED, 1, &view), 0);
	ends[_i]();
	if (_i == 3)
		seal();
	while (file_size(log_path(0, "idx")) > PAYLOAD_SIZE)
		usleep(10000);
	look_again(&view);
	expect_pattern(0, 100);
}
END_TEST

/* Nobody is there to finish the first segment. */
static void roll_and_die(void)
{
	open_log(MAPLOG_WRITE);
	fault_set(CALL_THREAD, 0, -1, EAGAIN);
	append_many(ENTRIES, 100);
	append_many(1, MIB);
}

/* Looped over which record: the reader goes by the copy, a writer by either. */
START_TEST(damaged_record_that_is_looked_at_is_backed_when_sealed_late)
{
	struct maplog_view view;
	struct maplog *reader;

	close_log();
	(void)run_child(roll_and_die);
	overstate(true, 0);
	if (_i)
		overstate(false, 0);
	ck_assert_int_eq(maplog_open(store, LOG, MAPLOG_READ, &reader), 0);
	ck_assert_int_eq(maplog_view(reader, 0, 1, &view), 0);
	open_log(MAPLOG_WRITE);
	ck_assert_uint_lt(file_size(log_path(0, "idx")), 1000);
	look_again(&view);
	expect_patterns(2, ENTRIES, 100);
	maplog_close(reader);
}
END_TEST

/* Nor is it made worse: what repair can mend stays as it is. */
START_TEST(records_that_are_both_damaged_stay_when_it_is_sealed)
{
	uint8_t before[RECORD_SIZE];
	uint8_t after[RECORD_SIZE];

	append_many(ENTRIES, 100);
	close_log();
	damage_record(log_path(0, "log"), RECORD_AT(HARMED));
	flip_bit(log_path(0, "idx"), HARMED * RECORD_SIZE + 5, 1);
	read_file(log_path(0, "idx"), HARMED * RECORD_SIZE, before,
		  sizeof(before));
	open_log(MAPLOG_WRITE);
	seal();
	read_file(log_path(0, "idx"), HARMED * RECORD_SIZE, after,
		  sizeof(after));
	ck_assert_int_eq(memcmp(before, after, sizeof(before)), 0);
	ck_assert_int_eq(read_error(HARMED), -EBADMSG);
	expect_pattern(HARMED + 1, 100);
}
END_TEST

/* Looped likewise: one has the right end, and nothing else. */
START_TEST(record_that_leads_to_the_next_entry_is_in_a_sealed_index)
{
	bool copy = _i % 2;

	append_many(ENTRIES, 100);
	close_log();
	flip_bit(log_path(0, "log"), RECORD_AT(HARMED) + 5, 1);
	flip_bit(log_path(0, "idx"), HARMED * RECORD_SIZE + 6, 1);
	damage_end(copy);
	open_log(MAPLOG_WRITE);
	ends[_i / 2]();
	ck_assert_int_eq(read_error(HARMED), -EBADMSG);
	expect_patterns(0, HARMED, 100);
	expect_patterns(HARMED + 1, ENTRIES, 100);
}
END_TEST

/* Looped over which of the two is damaged, then over what cannot be read: that
 * proves nothing, and is no failed sync. */
START_TEST(record_that_cannot_be_proven_is_left_when_it_is_sealed)
{
	bool copy = _i % 2;
	int ret;

	append_many(ENTRIES, 100);
	close_log();
	damage_record(log_path(0, copy ? "log" : "idx"),
		      copy ? RECORD_AT(HARMED) : HARMED * RECORD_SIZE);
	open_log(MAPLOG_WRITE);
	fault_set(CALL_ADVISE, _i / 2, 1, EFAULT);
	seal();
	fault_clear();
	ret = read_error(HARMED);
	ck_assert(!ret || (!copy && (ret == -EUCLEAN || ret == -EBADMSG)));
	expect_patterns(HARMED + 2, ENTRIES, 100);
	append_many(1, 100);
}
END_TEST

/* What of the .idx cannot be written is a failed sync. */
START_TEST(record_that_cannot_be_brought_there_stops_the_log)
{
	append_many(ENTRIES, 100);
	close_log();
	damage_record(log_path(0, "idx"), HARMED * RECORD_SIZE);
	open_log(MAPLOG_WRITE);
	/* The first one is for the next segment. */
	fault_set(CALL_WRITE, 1, -1, EIO);
	ck_assert_int_eq(maplog_seal(tlog, NULL), -EIO);
	fault_clear();
	ck_assert_int_eq(maplog_seal(tlog, NULL), -EROFS);
	(void)maplog_close(tlog);
	tlog = NULL;
	open_log(MAPLOG_WRITE);
	seal();
	expect_patterns(0, ENTRIES, 100);
}
END_TEST

static void append_and_die(void)
{
	open_log(MAPLOG_WRITE);
	append_many(ENTRIES, 100);
}

static void append_sync_and_die(void)
{
	append_and_die();
	ck_assert_int_eq(maplog_sync(tlog, NULL), 0);
}

static void die_with_a_record_that_leads_on(bool copy)
{
	close_log();
	ck_assert_int_eq(run_child(append_and_die), 0);
	flip_bit(log_path(0, "log"), RECORD_AT(HARMED) + 5, 1);
	flip_bit(log_path(0, "idx"), HARMED * RECORD_SIZE + 6, 1);
	damage_end(copy);
}

static void expect_recovered(void)
{
	expect_range(0, ENTRIES);
	ck_assert_int_eq(read_error(HARMED), -EBADMSG);
	expect_patterns(0, HARMED, 100);
	expect_patterns(HARMED + 1, ENTRIES, 100);
	close_log();
}

/* Looped over which of the two has the right end. */
START_TEST(record_that_leads_to_the_next_entry_is_recovered)
{
	die_with_a_record_that_leads_on(_i);
	for (int n = 0; n < 2; n++) {
		open_log(MAPLOG_WRITE);
		expect_recovered();
	}
}
END_TEST

/* Opens a log without the n-th piece of what is mapped. Whether there was one.
 */
static bool try_open(const char *name, int n)
{
	bool reached;
	int ret;

	fault_clear();
	fault_set(CALL_ADVISE, n, 1, EFAULT);
	ret = maplog_open(store, name, MAPLOG_WRITE, &tlog);
	reached = calls_made(CALL_ADVISE) > n;
	fault_clear();
	if (ret)
		ck_assert_int_eq(maplog_open(store, name, MAPLOG_WRITE, &tlog),
				 0);
	return reached;
}

/* Looped likewise: nothing is made of what cannot be read now. */
START_TEST(record_that_cannot_be_read_is_recovered_by_the_next_writer)
{
	bool reached = true;

	die_with_a_record_that_leads_on(_i);
	for (int n = 0; reached; n++) {
		copy_tree(LOG, "copy");
		reached = try_open("copy", n);
		expect_recovered();
	}
}
END_TEST

/* Such a segment is not appended to, nor is there another one to say where it
 * ends. */
START_TEST(lost_index_is_made_again_though_the_last_entry_is_damaged)
{
	uint64_t size;

	close_log();
	ck_assert_int_eq(run_child(append_sync_and_die), 0);
	size = file_size(log_path(0, "idx"));
	shorten_file(log_path(0, "idx"), 0);
	shorten_file(log_path(0, "idx"), size);
	flip_bit(log_path(0, "log"), ENTRIES * 100 - 1, 0);
	for (uint64_t n = 0; n < 3; n++) {
		open_log(n ? MAPLOG_WRITE : MAPLOG_READ);
		expect_patterns(0, ENTRIES - 1, 100);
		ck_assert_int_eq(read_error(ENTRIES - 1), -EBADMSG);
		if (n)
			ck_assert_uint_eq(append_pattern(100), ENTRIES + n - 1);
		expect_range(0, ENTRIES + n);
		close_log();
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("idx");
	TCase *ending = unit_case(suite, "ending");
	TCase *killed = unit_case(suite, "killed");

	tcase_add_checked_fixture(ending, make, NULL);
	tcase_add_checked_fixture(killed, make, NULL);
	tcase_add_loop_test(
		ending,
		record_that_is_proven_is_in_the_index_of_a_sealed_segment, 0,
		8);
	tcase_add_loop_test(
		ending,
		damaged_record_that_is_looked_at_is_backed_when_it_is_sealed, 0,
		4);
	tcase_add_loop_test(
		killed,
		damaged_record_that_is_looked_at_is_backed_when_sealed_late, 0,
		2);
	tcase_add_test(ending,
		       records_that_are_both_damaged_stay_when_it_is_sealed);
	tcase_add_loop_test(
		ending,
		record_that_leads_to_the_next_entry_is_in_a_sealed_index, 0, 8);
	tcase_add_loop_test(
		ending, record_that_cannot_be_proven_is_left_when_it_is_sealed,
		0, 24);
	tcase_add_test(ending,
		       record_that_cannot_be_brought_there_stops_the_log);
	tcase_add_loop_test(
		killed, record_that_leads_to_the_next_entry_is_recovered, 0, 2);
	tcase_add_loop_test(
		killed,
		record_that_cannot_be_read_is_recovered_by_the_next_writer, 0,
		2);
	tcase_add_test(
		killed,
		lost_index_is_made_again_though_the_last_entry_is_damaged);
	return unit_run(suite);
}
