/* SPDX-License-Identifier: MIT */
/* Tests of cursors. */
#include "cursor.h"

#include <errno.h>
#include <string.h>

#include "fixture.h"

static struct maplog_cursor cursor;
static struct maplog_entry entry;

static void begin(uint64_t index)
{
	maplog_cursor_init(&cursor, tlog, index);
}

static void expect_next(const char *text)
{
	ck_assert_int_eq(maplog_cursor_next(&cursor, &entry), 0);
	ck_assert_uint_eq(entry.bytes, strlen(text));
	ck_assert_mem_eq(entry.data, text, entry.bytes);
}

static void expect_no_next(int ret)
{
	ck_assert_int_eq(maplog_cursor_next(&cursor, &entry), ret);
}

START_TEST(entries_come_in_order_across_segments)
{
	make_log(NULL);
	append("one");
	append("");
	ck_assert_int_eq(maplog_seal(tlog, NULL), 0);
	append("three");
	begin(0);
	expect_next("one");
	expect_next("");
	ck_assert_uint_eq(maplog_cursor_index(&cursor), 2);
	expect_next("three");
	expect_no_next(-ENODATA);
	maplog_cursor_release(&cursor);
}
END_TEST

START_TEST(cursor_goes_on_when_there_is_more)
{
	make_log(NULL);
	begin(0);
	expect_no_next(-ENODATA);
	append("first");
	expect_next("first");
	expect_no_next(-ENODATA);
	append("second");
	expect_next("second");
	maplog_cursor_release(&cursor);
}
END_TEST

START_TEST(tag_comes_with_the_entry)
{
	const struct maplog_entry tagged = { "tagged", 6, 77 };

	make_log(NULL);
	ck_assert_int_eq(maplog_append(tlog, &tagged, 1, NULL), 0);
	begin(0);
	expect_next("tagged");
	ck_assert_uint_eq(entry.tag, 77);
	maplog_cursor_release(&cursor);
}
END_TEST

/* More than one view holds. */
START_TEST(all_of_many_entries_come)
{
	make_log("sync", "manual", "segment-size", "1M", NULL);
	append_many(200000, 7);
	begin(0);
	for (uint64_t i = 0; i < 200000; i++) {
		char wanted[7];

		pattern(wanted, sizeof(wanted), i);
		ck_assert_int_eq(maplog_cursor_next(&cursor, &entry), 0);
		ck_assert_uint_eq(entry.bytes, sizeof(wanted));
		ck_assert_mem_eq(entry.data, wanted, sizeof(wanted));
	}
	expect_no_next(-ENODATA);
	maplog_cursor_release(&cursor);
}
END_TEST

START_TEST(cursor_at_a_trimmed_entry_stays_there)
{
	make_log(NULL);
	append("trimmed");
	append("kept");
	ck_assert_int_eq(maplog_trim(tlog, 1), 0);
	begin(0);
	expect_no_next(-ENOENT);
	ck_assert_uint_eq(maplog_cursor_index(&cursor), 0);
	maplog_cursor_release(&cursor);
}
END_TEST

START_TEST(record_that_makes_no_sense_ends_it)
{
	struct maplog_record *record;

	make_log(NULL);
	append("first");
	append("second");
	begin(0);
	expect_next("first");
	record = (struct maplog_record *)&cursor.view.records[1];
	record->end = 1;
	expect_no_next(-EUCLEAN);
	expect_no_next(-EUCLEAN);
	record->end = 1000;
	expect_no_next(-EUCLEAN);
	maplog_cursor_release(&cursor);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cursor");
	TCase *tcase = unit_case(suite, "cursor");

	tcase_add_test(tcase, entries_come_in_order_across_segments);
	tcase_add_test(tcase, cursor_goes_on_when_there_is_more);
	tcase_add_test(tcase, tag_comes_with_the_entry);
	tcase_add_test(tcase, all_of_many_entries_come);
	tcase_add_test(tcase, cursor_at_a_trimmed_entry_stays_there);
	tcase_add_test(tcase, record_that_makes_no_sense_ends_it);
	return unit_run(suite);
}
