#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The init for containers of one program.
# shellcheck source=lib.sh
. /input/lib.sh
# shellcheck source=package-lib.sh
. /input/package-lib.sh

unpack tini
cd tini
# One file, whose own makefiles want CMake and git. With musl, basename is in <libgen.h>.
cat >tiniConfig.h <<-EOF
	#include <libgen.h>
	#define TINI_VERSION "$VERSION"
	#define TINI_GIT ""
EOF
# shellcheck disable=SC2086 # flags are words
"$CC" -std=gnu99 -I. $CFLAGS src/tini.c $LDFLAGS -o tini
install_program tini sbin/tini
