#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The kernel's user-space headers. Parameters: KERNEL_ARCH (as Linux names the architecture).
# shellcheck source=lib.sh
. /input/lib.sh

# Only what headers_install reads: unpacking the whole kernel would take longer than everything else here.
unpack linux \
	'*/Makefile' '*/Kbuild' '*/include/uapi' '*/include/linux/compiler_types.h' \
	'*/scripts' '*/tools/include' '*/usr' '*/include/asm-generic' "*/arch/$KERNEL_ARCH"
make --directory=linux --jobs="$JOBS" ARCH="$KERNEL_ARCH" CROSS_COMPILE="$TRIPLE-" HOSTCC=gcc \
	INSTALL_HDR_PATH=/build/installed headers_install
mkdir /output/include
cp -R installed/include/. /output/include/
