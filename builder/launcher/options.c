// SPDX-License-Identifier: GPL-2.0-only
//
// The command line, and what is said of it and of what the kernel refuses.

#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "contain.h"

static const char *const valued[] = {
	"--name", "--user", "--namespaces", "--capabilities", "--seccomp", "--write", "--env", "--directory",
};

char **options;
char **command;
char refused[512];
static const char *name;
static int strict;

// The words up to NULL, as one line with nothing in between from anybody else.
void say(const char *first, ...)
{
	struct iovec parts[12] = { { "contain: ", 9 } };
	int count = 1;
	va_list words;

	if (name) {
		parts[count++] = (struct iovec){ (char *)name, strlen(name) };
		parts[count++] = (struct iovec){ ": ", 2 };
	}
	va_start(words, first);
	for (const char *word = first; word && count < 11; word = va_arg(words, const char *))
		parts[count++] = (struct iovec){ (char *)word, strlen(word) };
	va_end(words);
	parts[count++] = (struct iovec){ "\n", 1 };
	if (writev(2, parts, count) < 0)
		return; // nobody listens, and that is no reason not to start
}

_Noreturn void fail(const char *what, const char *detail, const char *why)
{
	say(what, detail ? detail : "", ": ", why, NULL);
	_exit(FAILED);
}

_Noreturn void fail_errno(const char *what, const char *detail)
{
	fail(what, detail, strerror(errno));
}

// A limit that could not be set: errno says why.
void refuse(const char *what)
{
	if (strict)
		fail_errno(what, NULL);
	if (strlen(refused) + strlen(what) + 3 > sizeof refused)
		return;
	if (*refused)
		strcat(refused, ", ");
	strcat(refused, what);
}

// The value of the next option called `option` from *at on, or NULL; *at is then behind it.
char *next(const char *option, char ***at)
{
	while (*at < command) {
		char *word = *(*at)++;
		int has_value = strcmp(word, "--strict") && strcmp(word, "--executable-memory") && strcmp(word, "--");
		char *value = has_value ? *(*at)++ : word;
		if (!strcmp(word, option))
			return value;
	}
	return NULL;
}

char *value_of(const char *option)
{
	char **at = options;
	return next(option, &at);
}

void parse(char **argv)
{
	options = command = argv + 1;
	while (*command && strcmp(*command, "--")) {
		char *word = *command++;
		size_t known = 0;
		if (!strcmp(word, "--strict") || !strcmp(word, "--executable-memory"))
			continue;
		while (known < sizeof valued / sizeof *valued && strcmp(word, valued[known]))
			known++;
		if (known == sizeof valued / sizeof *valued)
			fail("unknown option", NULL, word);
		if (!*command)
			fail(word, NULL, "lacks its value");
		command++;
	}
	if (!*command || !command[1])
		fail("no command", NULL, "put it behind --");
	command++;
	strict = value_of("--strict") != NULL;
	name = value_of("--name");
	if (!name)
		fail("--name", NULL, "is missing");
}

// Take the next word of a list with commas, in place; NULL at its end.
char *word_of(char **list)
{
	char *word = *list;
	if (!word || !*word)
		return NULL;
	*list = strchr(word, ',');
	if (*list)
		*(*list)++ = 0;
	return word;
}

// The number that is all of `word`; -1 where it is none, or larger than any that is wanted here.
int64_t number_of(const char *word, unsigned base)
{
	int64_t number = *word ? 0 : -1;
	for (; *word && number >= 0; word++) {
		unsigned digit = *word - '0';
		number = digit < base && number <= UINT32_MAX / base ? number * base + digit : -1;
	}
	return number;
}
