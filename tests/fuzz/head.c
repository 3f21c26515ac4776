/* SPDX-License-Identifier: MIT */
/* Fuzz target: the page `head`, and trailers of segments. */
#include "head.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store.h"
#include "trailer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(struct head *head)
{
	struct maplog_checkpoint checkpoint;

	if (head_checkpoint(head->page, &checkpoint))
		require(checkpoint.sequence);
	require(head_durable(head->page, &checkpoint) >= checkpoint.durable);
	head_close(head);
}

static void read_head(const uint8_t *data, size_t size)
{
	int fd = openat(store_fd(), HEAD_NAME, O_RDWR | O_CREAT | O_CLOEXEC,
			0600);
	struct head head;

	require(fd >= 0);
	require(!ftruncate(fd, (off_t)size));
	require(pwrite(fd, data, size, 0) == (ssize_t)size);
	close(fd);
	if (!head_open(store_fd(), false, &head))
		use(&head);
	(void)unlinkat(store_fd(), HEAD_NAME, 0);
}

/* The last bytes of a file whose size is in the first eight. */
static void read_trailer(const uint8_t *data, size_t size)
{
	struct maplog_trailer trailer;
	int fd = memfd_create("trailer", MFD_CLOEXEC);
	uint64_t at;

	require(fd >= 0 && size >= sizeof(at));
	__builtin_memcpy(&at, data, sizeof(at));
	at %= (uint64_t)1 << 40;
	require(pwrite(fd, data, size, (off_t)at) == (ssize_t)size);
	if (!trailer_read(fd, at + size, &trailer))
		require(trailer_file_size(&trailer) == at + size);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= MAPLOG_HEAD_SIZE && size <= MAPLOG_HEAD_SIZE + 1)
		read_head(data, size);
	if (size >= sizeof(uint64_t))
		read_trailer(data, size);
	return 0;
}
