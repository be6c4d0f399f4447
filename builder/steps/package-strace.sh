#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What shows the system calls of a program.
# shellcheck source=lib.sh
. /input/lib.sh
# shellcheck source=package-lib.sh
. /input/package-lib.sh

unpack strace
cd strace
# Its own copies of the kernel's headers are those that its tables of names go with.
configure --enable-bundled=yes --enable-mpers=no --disable-gcc-Werror --disable-dependency-tracking \
	--without-libdw --without-libunwind --without-libiberty --without-libselinux
make --jobs="$JOBS" -C src
install_program src/strace usr/bin/strace
