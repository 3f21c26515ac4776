/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: scanning records and payload that are arbitrary bytes, in
 * memory that ends where they do.
 */
#include <stdlib.h>

#include "record.h"
#include "scan.h"
#include "store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RECORD sizeof(struct maplog_record)

/* Recovery cuts there, so it must not be inside of a batch. */
static void check(const struct scan_source *source, uint64_t from, uint64_t n)
{
	struct scan scan;

	require(!scan_records(source, from, n, &scan));
	require(from <= scan.good && scan.good <= n);
	require(scan.damaged <= scan.good - from);
	if (scan.good > from)
		require(!record_more(&source->records[scan.good - 1]));
}

/* The first byte says how many of the rest are records. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scan_source source = { .seed = 0 };
	size_t records;
	uint8_t *payload;

	if (!size)
		return 0;
	records = (size - 1) / RECORD;
	if (records > data[0])
		records = data[0];
	source.base = data[0];
	source.records = exact(data + 1, records * RECORD);
	source.payload_size = size - 1 - records * RECORD;
	payload = exact(data + 1 + records * RECORD, source.payload_size);
	source.payload = payload;
	for (uint64_t from = 0; from <= records; from++)
		check(&source, from, records);
	free(payload);
	free((void *)(uintptr_t)source.records);
	return 0;
}
