#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The launcher of services: one small static program, whatever the image links.
# shellcheck source=lib.sh
. /input/lib.sh

target_cc >cc
chmod +x cc
set --
for source in /input/launcher/*.c; do
	part=$(basename "$source" .c).o
	# shellcheck disable=SC2086 # flags are words
	./cc -std=gnu11 -Os -Wall -Wextra -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables \
		$CFLAGS_TARGET -c "$source" -o "$part"
	set -- "$@" "$part"
done
mkdir -p /output/root/sbin /output/unstripped/sbin
program=/output/unstripped/sbin/contain
# noseparate-code: one page of code and constants less in the file; they are read-only as before. What is read-only
# after start ends where a page ends, and for pages of 64 kB, which few kernels for arm64 have, the file would be twice
# as large, with nothing in between: there it is for pages of up to 16 kB.
pages=
[ "$ARCH" != arm64 ] || pages=-Wl,-z,max-page-size=16384
# shellcheck disable=SC2086 # flags are words
./cc $CFLAGS_TARGET $LDFLAGS_TARGET -Wl,--gc-sections -Wl,-z,noseparate-code $pages "$@" -o "$program"
"$TRIPLE-strip" --strip-all --remove-section=.note --remove-section=.comment -o /output/root/sbin/contain "$program"
