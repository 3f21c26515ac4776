/* SPDX-License-Identifier: MIT */
/* Tests of scanning: which batches are good, and where a file ends. */
#include "scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crc.h"
#include "files.h"
#include "fixture.h"
#include "record.h"

#define ENTRIES 12
#define BYTES	50
#define BASE	1000
#define PAGE	4096
#define NAME	"file"

static struct maplog_record *records;
static uint8_t *payload;
static struct scan_source source;
static struct scan found;

/* Batches of 1, 2, 3, 1, 2, 3 entries: they end at 1, 3, 6, 7, 9, 12. */
static bool goes_on(uint64_t n)
{
	static const bool more[] = { 0, 1, 0, 1, 1, 0 };

	return more[n % 6];
}

static void *map_pages(void)
{
	void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(at, MAP_FAILED);
	return at;
}

static void make(void)
{
	records = map_pages();
	payload = map_pages();
	source = (struct scan_source){ 77, BASE, records, payload, PAGE };
	pattern(payload, ENTRIES * BYTES, 1);
	for (uint64_t n = 0; n < ENTRIES; n++) {
		records[n].end = (uint32_t)(n + 1) * BYTES;
		records[n].time = 5 | (goes_on(n) ? MAPLOG_TIME_MORE : 0);
		records[n].crc = crc_record(77, BASE + n, &records[n],
					    payload + n * BYTES, BYTES);
	}
}

static void destroy(void)
{
	munmap(records, PAGE);
	munmap(payload, PAGE);
}

static void scan(uint64_t from, uint64_t to)
{
	ck_assert_int_eq(scan_records(&source, from, to, &found), 0);
}

/* Where the last batch ends that is whole before entry @n. */
static uint64_t batch_end(uint64_t n)
{
	while (n && goes_on(n - 1))
		n--;
	return n;
}

static uint64_t batch_begin(uint64_t n)
{
	return batch_end(n);
}

START_TEST(good_records_are_all_good)
{
	scan(0, ENTRIES);
	ck_assert_uint_eq(found.good, ENTRIES);
	ck_assert_uint_eq(found.damaged, 0);
}
END_TEST

START_TEST(scan_of_nothing_finds_nothing)
{
	scan(3, 3);
	ck_assert_uint_eq(found.good, 3);
}
END_TEST

/* Looped over where the records end: half a batch is none. */
START_TEST(batch_that_is_not_whole_is_not_good)
{
	memset(&records[_i], 0, (ENTRIES - (size_t)_i) * sizeof(*records));
	scan(0, ENTRIES);
	ck_assert_uint_eq(found.good, batch_end((uint64_t)_i));
	ck_assert_uint_eq(found.damaged, 0);
}
END_TEST

START_TEST(bound_in_a_batch_makes_it_not_whole)
{
	scan(0, (uint64_t)_i);
	ck_assert_uint_eq(found.good, batch_end((uint64_t)_i));
}
END_TEST

/* Looped over entries: with good batches behind it, a bad one is damage. */
START_TEST(bad_entry_with_good_ones_behind_is_damage)
{
	uint64_t last = batch_begin(ENTRIES - 1);

	payload[_i * BYTES] ^= 1;
	scan(0, ENTRIES);
	if ((uint64_t)_i >= last) {
		ck_assert_uint_eq(found.good, last);
		ck_assert_uint_eq(found.damaged, 0);
	} else {
		ck_assert_uint_eq(found.good, ENTRIES);
		ck_assert_uint_eq(found.damaged, 1);
	}
}
END_TEST

/* The last two batches are torn: of both nothing counts. */
START_TEST(bad_entries_at_the_end_are_no_damage)
{
	payload[7 * BYTES] ^= 1;
	payload[11 * BYTES] ^= 1;
	scan(0, ENTRIES);
	ck_assert_uint_eq(found.good, 7);
	ck_assert_uint_eq(found.damaged, 0);
}
END_TEST

START_TEST(good_entry_in_a_bad_batch_does_not_end_one)
{
	/* Of the last batch, 9 to 11, only the first is bad. */
	payload[9 * BYTES] ^= 1;
	scan(0, ENTRIES);
	ck_assert_uint_eq(found.good, 9);
}
END_TEST

START_TEST(scan_begins_where_it_is_told)
{
	payload[0] ^= 1;
	scan(6, ENTRIES);
	ck_assert_uint_eq(found.good, ENTRIES);
	ck_assert_uint_eq(found.damaged, 0);
}
END_TEST

/* Looped over records that point anywhere. */
START_TEST(end_that_cannot_be_is_bad)
{
	static const uint32_t ends[] = { 0, 249, PAGE + 1, UINT32_MAX };

	records[5].end = ends[_i];
	scan(0, ENTRIES);
	ck_assert_uint_eq(found.good, ENTRIES);
	/* The one behind it does not know where it begins. */
	ck_assert_uint_eq(found.damaged, 2);
}
END_TEST

START_TEST(bytes_that_cannot_be_read_are_an_error)
{
	fault_set(CALL_ADVISE, _i, 1, EFAULT);
	ck_assert_int_eq(scan_records(&source, 0, ENTRIES, &found), -EIO);
	fault_clear();
	fault_set(CALL_ADVISE, _i, 1, EHWPOISON);
	ck_assert_int_eq(scan_records(&source, 0, ENTRIES, &found), -EIO);
}
END_TEST

/* What is populated in one call is as good as read: it must not be the memory
 * of a small machine. */
START_TEST(large_entry_is_read_piece_by_piece)
{
	struct maplog_record record = { .end = 9 * MIB, .time = 5 };
	uint8_t *large = calloc(9, MIB);

	record.crc = crc_record(77, BASE, &record, large, 9 * MIB);
	source = (struct scan_source){ 77, BASE, &record, large, 9 * MIB };
	fault_clear();
	scan(0, 1);
	ck_assert_uint_eq(found.good, 1);
	ck_assert_int_eq(calls_made(CALL_ADVISE), 1 + 3);
	fault_set(CALL_ADVISE, 3, 1, EFAULT);
	ck_assert_int_eq(scan_records(&source, 0, 1, &found), -EIO);
	free(large);
}
END_TEST

static uint64_t extent(uint64_t size, uint64_t from, uint64_t to)
{
	int fd = open_file(NAME);
	uint64_t end;
	void *map;

	map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(map, MAP_FAILED);
	ck_assert_int_eq(scan_extent(fd, map, from, to, &end), 0);
	munmap(map, size);
	close(fd);
	return end;
}

static void make_sparse(uint64_t size)
{
	make_file(NAME, "");
	shorten_file(NAME, size);
}

START_TEST(file_of_holes_ends_where_it_begins)
{
	make_sparse(MIB);
	ck_assert_uint_eq(extent(MIB, 0, MIB), 0);
	ck_assert_uint_eq(extent(MIB, 12345, MIB), 12345);
}
END_TEST

START_TEST(zeros_that_were_written_are_like_holes)
{
	make_sparse(MIB);
	write_file(NAME, 100, "x", 1);
	zero_file(NAME, 8192, 65536);
	ck_assert_uint_eq(extent(MIB, 0, MIB), 101);
	ck_assert_uint_eq(extent(MIB, 101, MIB), 101);
	ck_assert_uint_eq(extent(MIB, 100, MIB), 101);
}
END_TEST

/* Looped over places around the edges of pages and sectors. */
START_TEST(extent_ends_behind_the_last_byte_that_is_not_zero)
{
	static const uint64_t places[] = { 0,	 1,	511,   512,    4095,
					   4096, 65535, 65536, MIB - 1 };

	make_sparse(MIB);
	write_file(NAME, places[_i], "x", 1);
	ck_assert_uint_eq(extent(MIB, 0, MIB), places[_i] + 1);
}
END_TEST

START_TEST(what_is_behind_the_part_does_not_count)
{
	make_sparse(MIB);
	write_file(NAME, 5000, "x", 1);
	ck_assert_uint_eq(extent(MIB, 0, 5000), 0);
	ck_assert_uint_eq(extent(MIB, 0, 5001), 5001);
	ck_assert_uint_eq(extent(MIB, 5000, 5000), 5000);
}
END_TEST

START_TEST(extent_that_cannot_be_read_is_an_error)
{
	int fd;
	void *map;
	uint64_t end;

	make_sparse(MIB);
	write_file(NAME, 5000, "x", 1);
	fd = open_file(NAME);
	map = mmap(NULL, MIB, PROT_READ, MAP_SHARED, fd, 0);
	/* A file that others have shortened is like a bad disk. */
	shorten_file(NAME, 8192);
	write_file(NAME, 8191, "x", 1);
	fault_set(CALL_ADVISE, 0, 1, EFAULT);
	ck_assert_int_eq(scan_extent(fd, map, 0, MIB, &end), -EIO);
	munmap(map, MIB);
	close(fd);
}
END_TEST

/* Looped over the seek to what there is, and that to its end. */
START_TEST(extent_that_cannot_be_looked_for_is_an_error)
{
	uint64_t end;
	void *map;
	int fd;

	make_sparse(MIB);
	write_file(NAME, 5000, "x", 1);
	fd = open_file(NAME);
	map = mmap(NULL, MIB, PROT_READ, MAP_SHARED, fd, 0);
	fault_set(CALL_SEEK, _i, 1, EIO);
	ck_assert_int_eq(scan_extent(fd, map, 0, MIB, &end), -EIO);
	ck_assert_int_eq(scan_extent(fd, map, 0, MIB, &end), 0);
	ck_assert_uint_eq(end, 5001);
	munmap(map, MIB);
	close(fd);
}
END_TEST

static Suite *scan_suite(void)
{
	Suite *suite = suite_create("scan");
	TCase *batches = unit_case(suite, "batches");
	TCase *extents = unit_case(suite, "extents");

	tcase_add_checked_fixture(batches, make, destroy);
	tcase_add_test(batches, good_records_are_all_good);
	tcase_add_test(batches, scan_of_nothing_finds_nothing);
	tcase_add_loop_test(batches, batch_that_is_not_whole_is_not_good, 0,
			    ENTRIES);
	tcase_add_loop_test(batches, bound_in_a_batch_makes_it_not_whole, 0,
			    ENTRIES);
	tcase_add_loop_test(batches, bad_entry_with_good_ones_behind_is_damage,
			    0, ENTRIES);
	tcase_add_test(batches, bad_entries_at_the_end_are_no_damage);
	tcase_add_test(batches, good_entry_in_a_bad_batch_does_not_end_one);
	tcase_add_test(batches, scan_begins_where_it_is_told);
	tcase_add_loop_test(batches, end_that_cannot_be_is_bad, 0, 4);
	tcase_add_loop_test(batches, bytes_that_cannot_be_read_are_an_error, 0,
			    2);
	tcase_add_test(batches, large_entry_is_read_piece_by_piece);
	tcase_add_test(extents, file_of_holes_ends_where_it_begins);
	tcase_add_test(extents, zeros_that_were_written_are_like_holes);
	tcase_add_loop_test(extents,
			    extent_ends_behind_the_last_byte_that_is_not_zero,
			    0, 9);
	tcase_add_test(extents, what_is_behind_the_part_does_not_count);
	tcase_add_test(extents, extent_that_cannot_be_read_is_an_error);
	tcase_add_loop_test(extents,
			    extent_that_cannot_be_looked_for_is_an_error, 0, 2);
	return suite;
}

int main(void)
{
	return unit_run(scan_suite());
}
