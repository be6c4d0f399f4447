// SPDX-License-Identifier: GPL-2.0-only
//
// What a contained program might try: "probe stack" makes its stack executable, "probe call NUMBER" makes a system call.

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long result = -1;

	if (argc == 2) {
		uintptr_t page = (uintptr_t)&result & -(uintptr_t)sysconf(_SC_PAGESIZE);
		result = mprotect((void *)page, 1, PROT_READ | PROT_WRITE | PROT_EXEC);
	} else if (argc == 3) {
		result = syscall(atol(argv[2]), 0, 0, 0, 0, 0, 0);
	}
	puts(result < 0 ? strerror(errno) : "allowed");
	return 0;
}
