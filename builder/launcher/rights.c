// SPDX-License-Identifier: GPL-2.0-only
//
// What may be done: capabilities, the user, system calls, memory.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "contain.h"

// The kernel's, from Linux 6.3; musl has no names for them.
#define MDWE_SET 65
#define MDWE_REFUSE_EXEC_GAIN 1

// 32-bit machines have two of these, the older ones with 16 bits for a number.
#ifdef SYS_setresuid32
#define SET_USERS SYS_setresuid32
#define SET_GROUP SYS_setresgid32
#define SET_GROUPS SYS_setgroups32
#else
#define SET_USERS SYS_setresuid
#define SET_GROUP SYS_setresgid
#define SET_GROUPS SYS_setgroups
#endif

static const char *const capability_names[] = {
	"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
	"linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
	"sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
	"sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
	"mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
	"checkpoint_restore",
};
#define CAPABILITIES (sizeof capability_names / sizeof *capability_names)

uint64_t wanted_capabilities(void)
{
	char *list = value_of("--capabilities");
	uint64_t set = 0;
	for (char *word; (word = word_of(&list));) {
		size_t i = 0;
		while (i < CAPABILITIES && strcmp(word, capability_names[i]))
			i++;
		if (i == CAPABILITIES)
			fail("--capabilities: no such capability", NULL, word);
		set |= UINT64_C(1) << i;
	}
	return set;
}

static struct sock_filter instructions[BPF_MAXINSNS];
static struct sock_fprog filter = { .filter = instructions };

void read_filter(const char *path)
{
	char more;
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = file < 0 ? -1 : read(file, instructions, sizeof instructions);
	if (size < 0)
		fail_errno("--seccomp ", path);
	if (!size || size % sizeof *instructions || read(file, &more, 1))
		fail("--seccomp ", path, "is no filter");
	filter.len = size / sizeof *instructions;
	close(file);
}

static int set_capabilities(uint64_t set)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = data[i].inheritable = set >> 32 * i;
	return syscall(SYS_capset, &header, data);
}

static uint64_t permitted(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };
	if (syscall(SYS_capget, &header, data))
		fail_errno("capabilities", NULL);
	return data[0].permitted | (uint64_t)data[1].permitted << 32;
}

// contain itself, while it waits, can do nothing but send signals.
void give_up_rights(void)
{
	set_capabilities(permitted() & 1 << CAP_KILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void become(const struct user *user, const gid_t groups[], int count, uint64_t set)
{
	for (size_t i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if (!(set >> i & 1) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0)) {
			refuse("capabilities.bounding");
			break;
		}
	prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	if (user) {
		if (syscall(SET_GROUPS, count, groups) || syscall(SET_GROUP, user->gid, user->gid, user->gid) ||
			syscall(SET_USERS, user->uid, user->uid, user->uid))
			refuse("user");
	}
	uint64_t had = permitted();
	if (set & ~had) {
		errno = EPERM;
		refuse("capabilities");
	}
	set &= had;
	if (set_capabilities(set))
		fail_errno("capabilities", NULL);
	for (size_t i = 0; i < CAPABILITIES && geteuid(); i++)
		if (set >> i & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0))
			fail_errno("capabilities: ", capability_names[i]);
}

// From here on memory that was written cannot be executed, and no program that is started has more rights than this one.
void lock(void)
{
	if (!value_of("--executable-memory") && prctl(MDWE_SET, MDWE_REFUSE_EXEC_GAIN, 0, 0, 0))
		refuse("write-protected code");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		fail_errno("no_new_privs", NULL);
	if (filter.len && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0) {
		refuse("seccomp");
		filter.len = 0;
	}
}

void apply_filter(void)
{
	if (filter.len && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0))
		fail_errno("--seccomp", NULL);
}
