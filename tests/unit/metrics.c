/* SPDX-License-Identifier: MIT */
/* Tests of what a writer counts. */
#include <errno.h>

#include "fixture.h"
#include "meter.h"

static struct maplog_metrics metrics(void)
{
	struct maplog_metrics metrics;

	maplog_metrics(tlog, &metrics);
	return metrics;
}

static uint64_t total(struct maplog_histogram histogram)
{
	uint64_t n = 0;

	for (int i = 0; i <= MAPLOG_BUCKETS; i++)
		n += histogram.count[i];
	return n;
}

/* Appends a batch of entries of one byte. */
static int append_batch_of(size_t n)
{
	struct maplog_entry entries[64];

	ck_assert_uint_le(n, 64);
	for (size_t i = 0; i < n; i++)
		entries[i] = (struct maplog_entry){ .data = "x", .bytes = 1 };
	return maplog_append(tlog, entries, n, NULL);
}

START_TEST(batches_entries_and_bytes_are_counted)
{
	make_log("sync", "manual", NULL);
	append("one");
	append_batch("two", "three", NULL);

	ck_assert_uint_eq(metrics().appends, 2);
	ck_assert_uint_eq(metrics().entries, 3);
	ck_assert_uint_eq(metrics().bytes, 3 + 3 + 5);
	ck_assert_uint_eq(metrics().batch.sum, 3);
	ck_assert_uint_eq(total(metrics().batch), 2);
}
END_TEST

static const struct {
	size_t entries;
	int bucket;
} batches[] = { { 0, 0 }, { 1, 0 }, { 2, 1 }, { 3, 2 },
		{ 4, 2 }, { 5, 3 }, { 64, 6 } };

START_TEST(a_batch_is_in_the_bucket_of_its_size)
{
	make_log("sync", "manual", NULL);
	ck_assert_int_eq(append_batch_of(batches[_i].entries), 0);

	ck_assert_uint_eq(metrics().batch.count[batches[_i].bucket], 1);
	ck_assert_uint_eq(total(metrics().batch), 1);
	ck_assert_uint_le(batches[_i].entries,
			  metrics().batch.unit << batches[_i].bucket);
}
END_TEST

START_TEST(each_sync_is_timed)
{
	make_log("sync", "manual", NULL);
	append("a");
	ck_assert_uint_eq(total(metrics().sync), 0);
	ck_assert_int_eq(maplog_sync(tlog, NULL), 0);
	ck_assert_uint_eq(total(metrics().sync), 1);
	ck_assert_uint_gt(metrics().sync.sum, 0);
}
END_TEST

START_TEST(under_always_an_append_is_a_sync)
{
	make_log("sync", "always", NULL);
	append("a");
	append("b");
	ck_assert_uint_eq(total(metrics().sync), 2);
}
END_TEST

START_TEST(a_time_is_in_the_first_bucket_that_it_fits)
{
	struct maplog_metrics own;
	uint64_t unit;

	meter_init(&own);
	unit = own.sync.unit;
	meter_sync(&own, 0);
	meter_sync(&own, unit);
	meter_sync(&own, unit + 1);
	meter_sync(&own, 2 * unit);
	meter_sync(&own, unit << (MAPLOG_BUCKETS - 1));
	meter_sync(&own, (unit << (MAPLOG_BUCKETS - 1)) + 1);
	meter_sync(&own, UINT64_MAX);

	ck_assert_uint_eq(own.sync.count[0], 2);
	ck_assert_uint_eq(own.sync.count[1], 2);
	ck_assert_uint_eq(own.sync.count[MAPLOG_BUCKETS - 1], 1);
	ck_assert_uint_eq(own.sync.count[MAPLOG_BUCKETS], 2);
}
END_TEST

START_TEST(an_append_that_fails_is_an_error)
{
	make_log("sync", "manual", "max-entry", "1", NULL);
	ck_assert_int_eq(try_append("more"), -EMSGSIZE);
	ck_assert_uint_eq(metrics().errors, 1);
	ck_assert_uint_eq(metrics().appends, 0);
}
END_TEST

START_TEST(a_stale_index_is_no_error)
{
	const struct maplog_entry entry = { .data = "x", .bytes = 1 };

	make_log("sync", "manual", NULL);
	ck_assert_int_eq(maplog_append_at(tlog, 7, &entry, 1), -ESTALE);
	ck_assert_uint_eq(metrics().errors, 0);
}
END_TEST

START_TEST(an_overwrite_is_an_append)
{
	make_log("sync", "manual", NULL);
	append("one");
	append("two");
	overwrite(0, "three");
	ck_assert_uint_eq(metrics().appends, 3);
	ck_assert_uint_eq(metrics().bytes, 3 + 3 + 5);
}
END_TEST

START_TEST(a_reader_counts_nothing)
{
	make_log("sync", "manual", NULL);
	append("one");
	close_log();
	open_log(MAPLOG_READ);
	ck_assert_uint_eq(metrics().appends, 0);
	ck_assert_uint_eq(total(metrics().sync), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tc = unit_case(suite, "counted");

	tcase_add_test(tc, batches_entries_and_bytes_are_counted);
	tcase_add_loop_test(tc, a_batch_is_in_the_bucket_of_its_size, 0,
			    sizeof(batches) / sizeof(*batches));
	tcase_add_test(tc, each_sync_is_timed);
	tcase_add_test(tc, under_always_an_append_is_a_sync);
	tcase_add_test(tc, a_time_is_in_the_first_bucket_that_it_fits);
	tcase_add_test(tc, an_append_that_fails_is_an_error);
	tcase_add_test(tc, a_stale_index_is_no_error);
	tcase_add_test(tc, an_overwrite_is_an_append);
	tcase_add_test(tc, a_reader_counts_nothing);
	return unit_run(suite);
}
