/* SPDX-License-Identifier: MIT */
/*
 * Mappings and checksums under AddressSanitizer: which by itself sees neither
 * a byte that is read behind a mapping nor what ISA-L's assembler reads. Linked
 * with --wrap: a mapping ends where its last byte is, and behind it there is a
 * page that nobody may touch.
 */
#include <errno.h>
#include <sanitizer/asan_interface.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store.h"

void *__real_mmap64(void *at, size_t n, int prot, int flags, int fd, off_t off);
void *__wrap_mmap64(void *at, size_t n, int prot, int flags, int fd, off_t off);
int __real_munmap(void *at, size_t n);
int __wrap_munmap(void *at, size_t n);
unsigned __real_crc32_iscsi(unsigned char *data, int n, unsigned crc);
unsigned __wrap_crc32_iscsi(unsigned char *data, int n, unsigned crc);

#define PAGE ((size_t)4096)

static size_t whole_pages(size_t n)
{
	return (n + PAGE - 1) & ~(PAGE - 1);
}

void *__wrap_mmap64(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
	size_t pages = whole_pages(n);
	uint8_t *room;

	if (at || fd < 0 || !n)
		return __real_mmap64(at, n, prot, flags, fd, off);
	room = __real_mmap64(NULL, pages + PAGE, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			     0);
	if (room == MAP_FAILED)
		return room;
	if (__real_mmap64(room, n, prot, flags | MAP_FIXED, fd, off) ==
	    MAP_FAILED) {
		int error = errno;

		__real_munmap(room, pages + PAGE);
		errno = error;
		return MAP_FAILED;
	}
	ASAN_POISON_MEMORY_REGION(room + n, pages - n);
	return room;
}

int __wrap_munmap(void *at, size_t n)
{
	size_t pages = whole_pages(n);

	ASAN_UNPOISON_MEMORY_REGION((uint8_t *)at + n, pages - n);
	return __real_munmap(at, pages + PAGE);
}

unsigned __wrap_crc32_iscsi(unsigned char *data, int n, unsigned crc)
{
	require(!n || !__asan_region_is_poisoned(data, (size_t)n));
	return __real_crc32_iscsi(data, n, crc);
}
