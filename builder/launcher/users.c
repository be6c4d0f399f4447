// SPDX-License-Identifier: GPL-2.0-only
//
// Users and groups, from /etc/passwd and /etc/group.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "contain.h"

static char text[65536]; // of /etc/passwd or /etc/group, of which no line is longer

static void read_text(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = 0;
	size_t total = 0;
	if (file < 0)
		fail_errno(path, NULL);
	while (total < sizeof text - 1 && (length = read(file, text + total, sizeof text - 1 - total)) > 0)
		total += length;
	if (length < 0)
		fail_errno(path, NULL);
	if (total == sizeof text - 1)
		fail(path, NULL, strerror(EFBIG));
	text[total] = 0;
	close(file);
}

// Split the next line of *at at its colons; the number of fields, -1 at the end.
static int fields_of(char **at, char *fields[7])
{
	char *line = *at;
	int count = 0;
	if (!*line)
		return -1;
	*at = strchrnul(line, '\n');
	if (**at)
		*(*at)++ = 0;
	while (line && count < 7) {
		fields[count++] = line;
		line = strchr(line, ':');
		if (line)
			*line++ = 0;
	}
	return count;
}

struct user find_user(const char *wanted, const char *option)
{
	char *fields[7], *at = text;
	struct user user;
	read_text("/etc/passwd");
	for (int count; (count = fields_of(&at, fields)) >= 0;) {
		if (count < 6 || strcmp(fields[0], wanted))
			continue;
		int64_t uid = number_of(fields[2], 10), gid = number_of(fields[3], 10);
		if (uid < 0 || gid < 0)
			fail("the numbers of ", wanted, strerror(EINVAL));
		user.uid = uid;
		user.gid = gid;
		if (strlen(fields[5]) >= sizeof user.home)
			fail("the home of ", wanted, strerror(ENAMETOOLONG));
		strcpy(user.home, fields[5]);
		return user;
	}
	fail(option, ": no such user", wanted);
}

int groups_of(const char *wanted, gid_t first, gid_t groups[64])
{
	char *fields[7], *at = text;
	int count = 0;
	groups[count++] = first;
	read_text("/etc/group");
	for (int found; (found = fields_of(&at, fields)) >= 0;) {
		char *members = found > 3 ? fields[3] : NULL;
		for (char *member; (member = word_of(&members));)
			if (!strcmp(member, wanted) && count < 64 && number_of(fields[2], 10) >= 0)
				groups[count++] = number_of(fields[2], 10);
	}
	return count;
}
