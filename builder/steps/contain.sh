#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The launcher of services: one small static program, whatever the image links.
# shellcheck source=lib.sh
. /input/lib.sh

target_cc >cc
chmod +x cc
# noseparate-code: one page of code and constants less in the file; they are read-only as before.
# shellcheck disable=SC2086 # flags are words
./cc -std=gnu11 -Os -Wall -Wextra -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables \
	$CFLAGS_TARGET -c /input/contain.c -o contain.o
mkdir -p /output/root/sbin /output/unstripped/sbin
program=/output/unstripped/sbin/contain
# shellcheck disable=SC2086 # flags are words
./cc $CFLAGS_TARGET $LDFLAGS_TARGET -Wl,--gc-sections -Wl,-z,noseparate-code contain.o -o "$program"
"$TRIPLE-strip" --strip-all --remove-section=.note --remove-section=.comment -o /output/root/sbin/contain "$program"
