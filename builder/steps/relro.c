// SPDX-License-Identifier: GPL-2.0-only
//
// musl's dynamic loader makes the RELRO segment of what it loads read-only; its static start code does not, so in a
// static program PT_GNU_RELRO would be a promise nobody keeps. Linked into every static program, this keeps it.

#define _GNU_SOURCE
#include <link.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/mman.h>

static int protect_relro(struct dl_phdr_info *program, size_t size, void *data)
{
	size_t page = getauxval(AT_PAGESZ);

	(void)size, (void)data;
	for (size_t i = 0; i < program->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &program->dlpi_phdr[i];
		if (header->p_type != PT_GNU_RELRO)
			continue;
		size_t first = (program->dlpi_addr + header->p_vaddr) & -page;
		size_t end = (program->dlpi_addr + header->p_vaddr + header->p_memsz) & -page;
		// A kernel that refuses leaves the program as it was: worse protected, not broken.
		if (end > first)
			mprotect((void *)first, end - first, PROT_READ);
	}
	return 0;
}

// The lowest priority number a program may use, so that it runs before every other constructor.
__attribute__((constructor(101))) static void start(void)
{
	dl_iterate_phdr(protect_relro, NULL);
}
