/* SPDX-License-Identifier: MIT */
/* Tests of options: as text, and in the file log.ini. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "fixture.h"
#include "options.h"

#define INI LOG "/log.ini"

static struct maplog_options options;

static int set(const char *key, const char *value)
{
	return maplog_options_set(&options, key, value);
}

static const char *get(const char *key)
{
	static char text[32];

	ck_assert_int_eq(maplog_options_get(&options, key, text, sizeof(text)),
			 0);
	return text;
}

/* Text that is read, the value it means, and how it is written. */
static const struct size {
	const char *text;
	uint64_t value;
	const char *written;
} sizes[] = {
	{ "1M", UINT64_C(1) << 20, "1M" },
	{ "1024K", UINT64_C(1) << 20, "1M" },
	{ "1048577", 1048577, "1048577" },
	{ "1025K", 1025 << 10, "1025K" },
	{ "3G", UINT64_C(3) << 30, "3G" },
	{ "4194240K", 4194240 * UINT64_C(1024), "4194240K" },
};

START_TEST(sizes_take_suffixes)
{
	const struct size *size = &sizes[_i];

	ck_assert_int_eq(set("segment-size", size->text), 0);
	ck_assert_uint_eq(options.segment_size, size->value);
	ck_assert_str_eq(get("segment-size"), size->written);
}
END_TEST

static const struct size times[] = {
	{ "1d", 86400 * UINT64_C(1000000000), "1d" },
	{ "24h", 86400 * UINT64_C(1000000000), "1d" },
	{ "90m", 5400 * UINT64_C(1000000000), "90m" },
	{ "1500ms", 1500 * UINT64_C(1000000), "1500ms" },
	{ "7us", 7000, "7us" },
	{ "0", 0, "0" },
};

START_TEST(times_take_suffixes)
{
	const struct size *time = &times[_i];

	ck_assert_int_eq(set("retain-age", time->text), 0);
	ck_assert_uint_eq(options.retain_age, time->value);
	ck_assert_str_eq(get("retain-age"), time->written);
}
END_TEST

START_TEST(sync_is_one_of_three)
{
	ck_assert_str_eq(get("sync"), "always");
	ck_assert_int_eq(set("sync", "manual"), 0);
	ck_assert_int_eq(options.sync, MAPLOG_SYNC_MANUAL);
	ck_assert_str_eq(get("sync"), "manual");
	ck_assert_int_eq(set("sync", "interval=50ms"), 0);
	ck_assert_int_eq(options.sync, MAPLOG_SYNC_INTERVAL);
	ck_assert_uint_eq(options.interval, 50000000);
	ck_assert_str_eq(get("sync"), "interval=50ms");
	ck_assert_int_eq(set("sync", "always"), 0);
	ck_assert_int_eq(options.sync, MAPLOG_SYNC_ALWAYS);
}
END_TEST

/* What is refused, and how. */
static const struct refusal {
	const char *key;
	const char *value;
	int ret;
} refusals[] = {
	{ "", "1", -ENOKEY },
	{ "Sync", "always", -ENOKEY },
	{ "segment-size ", "1M", -ENOKEY },
	{ "segment-size", "", -EINVAL },
	{ "segment-size", "M", -EINVAL },
	{ "segment-size", "-1", -EINVAL },
	{ "segment-size", " 1M", -EINVAL },
	{ "segment-size", "1MB", -EINVAL },
	{ "segment-size", "1 M", -EINVAL },
	{ "segment-size", "0x100000", -EINVAL },
	{ "segment-size", "1048575", -ERANGE },
	{ "segment-size", "4G", -ERANGE },
	{ "segment-size", "18446744073709551616", -ERANGE },
	{ "segment-size", "18446744073709551615T", -ERANGE },
	{ "max-entry", "0", -ERANGE },
	{ "max-entry", "4G", -ERANGE },
	{ "map-limit", "7M", -ERANGE },
	{ "retain-age", "1", -EINVAL },
	{ "retain-age", "1w", -EINVAL },
	{ "retain-unread", "yes", -EINVAL },
	{ "sync", "", -EINVAL },
	{ "sync", "never", -EINVAL },
	{ "sync", "interval", -EINVAL },
	{ "sync", "interval=", -EINVAL },
	{ "sync", "interval=1", -EINVAL },
	{ "sync", "interval=0ms", -ERANGE },
	{ "sync", "interval=2d", -ERANGE },
};

START_TEST(what_is_refused_changes_nothing)
{
	const struct refusal *refusal = &refusals[_i];
	struct maplog_options before = options;

	ck_assert_int_eq(set(refusal->key, refusal->value), refusal->ret);
	ck_assert_int_eq(memcmp(&before, &options, sizeof(options)), 0);
}
END_TEST

START_TEST(get_needs_a_key_and_room)
{
	char text[4];

	ck_assert_int_eq(maplog_options_get(&options, "x", text, 4), -ENOKEY);
	ck_assert_int_eq(maplog_options_get(&options, "segment-size", text, 4),
			 -ENOSPC);
	ck_assert_int_eq(maplog_options_get(&options, "sync", text, 4),
			 -ENOSPC);
}
END_TEST

START_TEST(every_key_is_listed_and_can_be_read_back)
{
	const char *key;
	size_t n = 0;

	while ((key = maplog_options_key(n++)))
		ck_assert_int_eq(set(key, get(key)), 0);
	ck_assert_uint_eq(n, 8);
	ck_assert_ptr_null(maplog_options_key(SIZE_MAX));
}
END_TEST

START_TEST(log_keeps_its_options)
{
	create_log("segment-size", "2M", "max-entry", "10K", "sync",
		   "interval=5ms", "retain-bytes", "9G", "retain-age", "3d",
		   "map-limit", "16M", "retain-unread", "drop", NULL);
	open_log(MAPLOG_WRITE);
	maplog_options(tlog, &options);
	ck_assert_uint_eq(options.segment_size, 2 * MIB);
	ck_assert_uint_eq(options.max_entry, 10240);
	ck_assert_str_eq(get("sync"), "interval=5ms");
	ck_assert_str_eq(get("retain-bytes"), "9G");
	ck_assert_str_eq(get("retain-age"), "3d");
	ck_assert_str_eq(get("retain-unread"), "drop");
	ck_assert_str_eq(get("map-limit"), "16M");
}
END_TEST

START_TEST(set_is_for_good)
{
	make_log(NULL);
	ck_assert_int_eq(maplog_set(tlog, "max-entry", "77"), 0);
	maplog_options(tlog, &options);
	ck_assert_uint_eq(options.max_entry, 77);
	reopen_log();
	maplog_options(tlog, &options);
	ck_assert_uint_eq(options.max_entry, 77);
}
END_TEST

START_TEST(set_refuses_what_options_refuse)
{
	make_log(NULL);
	ck_assert_int_eq(maplog_set(tlog, "x", "1"), -ENOKEY);
	ck_assert_int_eq(maplog_set(tlog, "sync", "x"), -EINVAL);
	ck_assert_int_eq(maplog_set(tlog, "map-limit", "1"), -ERANGE);
	close_log();
	open_log(MAPLOG_READ);
	ck_assert_int_eq(maplog_set(tlog, "sync", "manual"), -EROFS);
}
END_TEST

START_TEST(set_that_cannot_be_kept_changes_nothing)
{
	static const enum call calls[] = { CALL_OPEN, CALL_WRITE, CALL_SYNC,
					   CALL_RENAME };

	make_log("max-entry", "1000", NULL);
	fault_set(calls[_i], 0, 1, ENOSPC);
	ck_assert_int_eq(maplog_set(tlog, "max-entry", "77"), -ENOSPC);
	fault_clear();
	maplog_options(tlog, &options);
	ck_assert_uint_eq(options.max_entry, 1000);
	ck_assert_int_eq(count_files(".new"), 0);
	reopen_log();
	maplog_options(tlog, &options);
	ck_assert_uint_eq(options.max_entry, 1000);
}
END_TEST

/* Whatever became of log.ini, the log opens. */
static const struct ini {
	const char *text;
	uint64_t max_entry;
} inis[] = {
	{ "", 16 << 20 },
	{ "max-entry=5", 5 },
	{ "  max-entry \t=  5 \r\n", 5 },
	{ "# max-entry = 5\n;max-entry = 6\n", 16 << 20 },
	{ "max-entry = 5\nmax-entry = x\n", 5 },
	{ "max-entry\n= 5\nmax-entry =\n", 16 << 20 },
	{ "no such key = 1\n[section]\nmax-entry = 7\n", 7 },
	{ "\n\n==\n=\nmax-entry = 8", 8 },
};

START_TEST(what_is_not_understood_in_the_file_leaves_the_default)
{
	create_log(NULL);
	make_file(INI, inis[_i].text);
	open_log(MAPLOG_WRITE);
	maplog_options(tlog, &options);
	ck_assert_uint_eq(options.max_entry, inis[_i].max_entry);
}
END_TEST

START_TEST(file_that_is_no_file_leaves_the_defaults)
{
	create_log(NULL);
	ck_assert_int_eq(unlinkat(store, INI, 0), 0);
	if (_i == 1)
		ck_assert_int_eq(mkfifoat(store, INI, 0600), 0);
	if (_i == 2)
		ck_assert_int_eq(mkdirat(store, INI, 0700), 0);
	if (_i == 3)
		ck_assert_int_eq(symlinkat("head", store, INI), 0);
	open_log(MAPLOG_WRITE);
	append("a");
	expect_text(0, "a");
}
END_TEST

START_TEST(file_of_zeros_or_of_any_size_leaves_the_defaults)
{
	create_log(NULL);
	shorten_file(INI, 0);
	shorten_file(INI, _i ? 1 << 20 : 100);
	open_log(MAPLOG_WRITE);
	append("a");
}
END_TEST

START_TEST(file_that_cannot_be_read_is_an_error)
{
	create_log(NULL);
	fault_set(CALL_READ, 0, 1, EIO);
	ck_assert_int_eq(maplog_open(store, LOG, MAPLOG_READ, &tlog), -EIO);
	tlog = NULL;
	fault_clear();
	open_log(MAPLOG_READ);
}
END_TEST

static bool damaged;

/* What is left of the file is all that was in it, or nothing. */
static void expect_all_or_none(bool all)
{
	open_log(MAPLOG_WRITE);
	maplog_options(tlog, &options);
	damaged = status().recovery.options;
	close_log();
	if (all) {
		ck_assert_uint_eq(options.max_entry, 10240);
		ck_assert_str_eq(get("sync"), "manual");
		ck_assert_str_eq(get("retain-bytes"), "90G");
	} else {
		ck_assert_uint_eq(options.max_entry, 16 * MIB);
		ck_assert_str_eq(get("sync"), "always");
		ck_assert_str_eq(get("retain-bytes"), "0");
	}
}

static void create_with_numbers(void)
{
	create_log("max-entry", "10K", "sync", "manual", "retain-bytes", "90G",
		   NULL);
}

/* A flip in the first line may make it one of no meaning. */
START_TEST(flipped_bit_makes_no_option_another)
{
	uint64_t size;
	uint64_t line;
	char text[600] = "";

	create_with_numbers();
	size = file_size(INI);
	read_file(INI, 0, text, size);
	line = (uint64_t)(strchr(text, '\n') - text);
	for (uint64_t bit = 0; bit < 8 * size; bit++) {
		flip_bit(INI, bit / 8, (unsigned)(bit % 8));
		open_log(MAPLOG_WRITE);
		damaged = status().recovery.options;
		close_log();
		ck_assert(damaged || bit / 8 <= line);
		expect_all_or_none(!damaged);
		flip_bit(INI, bit / 8, (unsigned)(bit % 8));
	}
	expect_all_or_none(true);
	ck_assert(!damaged);
}
END_TEST

START_TEST(file_that_is_cut_short_gives_no_part_of_a_number)
{
	create_with_numbers();
	for (uint64_t size = file_size(INI); size--;) {
		shorten_file(INI, size);
		expect_all_or_none(false);
	}
}
END_TEST

START_TEST(file_without_its_first_line_can_be_edited)
{
	char text[600] = "";

	create_with_numbers();
	read_file(INI, 0, text, file_size(INI));
	*strstr(text, "90G") = '8';
	make_file(INI, text);
	expect_all_or_none(false);
	ck_assert(damaged);
	make_file(INI, strchr(text, '\n') + 1);
	open_log(MAPLOG_WRITE);
	maplog_options(tlog, &options);
	ck_assert_str_eq(get("retain-bytes"), "80G");
	ck_assert(!status().recovery.options);
}
END_TEST

START_TEST(file_that_cannot_be_opened_now_is_an_error)
{
	bool told = false;

	create_with_numbers();
	for (int n = 0; n < 8; n++) {
		int ret;

		fault_set(CALL_OPEN, n, 1, EMFILE);
		ret = maplog_open(store, LOG, MAPLOG_WRITE, &tlog);
		fault_clear();
		told |= ret == -EMFILE;
		ck_assert(!ret || ret == -EMFILE);
		if (!ret) {
			maplog_options(tlog, &options);
			ck_assert_uint_eq(options.max_entry, 10240);
			close_log();
		}
		tlog = NULL;
	}
	ck_assert(told);
}
END_TEST

static void init(void)
{
	maplog_options_init(&options);
}

static Suite *options_suite(void)
{
	Suite *suite = suite_create("options");
	TCase *text = unit_case(suite, "text");
	TCase *file = unit_case(suite, "file");

	tcase_add_checked_fixture(text, init, NULL);
	tcase_add_loop_test(text, sizes_take_suffixes, 0, 6);
	tcase_add_loop_test(text, times_take_suffixes, 0, 6);
	tcase_add_test(text, sync_is_one_of_three);
	tcase_add_loop_test(text, what_is_refused_changes_nothing, 0,
			    sizeof(refusals) / sizeof(*refusals));
	tcase_add_test(text, get_needs_a_key_and_room);
	tcase_add_test(text, every_key_is_listed_and_can_be_read_back);
	tcase_add_test(file, log_keeps_its_options);
	tcase_add_test(file, set_is_for_good);
	tcase_add_test(file, set_refuses_what_options_refuse);
	tcase_add_loop_test(file, set_that_cannot_be_kept_changes_nothing, 0,
			    4);
	tcase_add_loop_test(
		file, what_is_not_understood_in_the_file_leaves_the_default, 0,
		sizeof(inis) / sizeof(*inis));
	tcase_add_loop_test(file, file_that_is_no_file_leaves_the_defaults, 0,
			    4);
	tcase_add_loop_test(
		file, file_of_zeros_or_of_any_size_leaves_the_defaults, 0, 2);
	tcase_add_test(file, file_that_cannot_be_read_is_an_error);
	tcase_add_test(file, flipped_bit_makes_no_option_another);
	tcase_add_test(file, file_that_is_cut_short_gives_no_part_of_a_number);
	tcase_add_test(file, file_without_its_first_line_can_be_edited);
	tcase_add_test(file, file_that_cannot_be_opened_now_is_an_error);
	return suite;
}

int main(void)
{
	return unit_run(options_suite());
}
