// SPDX-License-Identifier: GPL-2.0-only
//
// filter: a filter of system calls for the kernel.
//
//   filter ARCHITECTURE <CALLS >FILTER
//
// CALLS has a line for every system call that is allowed: its name, or NAME INDEX MASK VALUE where it is allowed only if
// its argument INDEX, masked, is VALUE. All other calls, and those of other architectures, end the process, which the
// kernel logs where it has auditing. What ARCHITECTURE does not have is left out. FILTER is struct sock_filter[].

#include <errno.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void fail(const char *what, int error)
{
	fprintf(stderr, "filter: %s: %s\n", what, strerror(-error));
	exit(1);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		fail("one architecture is wanted", -EINVAL);
	uint32_t arch = seccomp_arch_resolve_name(argv[1]);
	if (!arch)
		fail(argv[1], -EINVAL);
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!filter)
		fail("libseccomp", -ENOMEM);
	int error = 0;
	if (arch != seccomp_arch_native()) {
		error = seccomp_arch_add(filter, arch);
		if (!error)
			error = seccomp_arch_remove(filter, SCMP_ARCH_NATIVE);
	}
	if (error || (error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS)) ||
		(error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2))) // a search tree instead of a list
		fail(argv[1], error);

	char line[256], name[128];
	while (fgets(line, sizeof line, stdin)) {
		unsigned index;
		uint64_t mask, value;
		int fields = sscanf(line, "%127s %u %" SCNu64 " %" SCNu64, name, &index, &mask, &value);
		if (fields != 1 && fields != 4)
			fail(line, -EINVAL);
		int number = seccomp_syscall_resolve_name(name);
		if (number == __NR_SCMP_ERROR)
			fail(name, -ENOSYS);
		if (seccomp_syscall_resolve_name_arch(arch, name) < 0)
			continue;
		struct scmp_arg_cmp condition = { index, SCMP_CMP_MASKED_EQ, mask, value };
		error = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, fields == 4, &condition);
		if (error)
			fail(name, error);
	}
	error = seccomp_export_bpf(filter, 1);
	if (error)
		fail("writing", error);
	return 0;
}
