#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Capabilities for OpenRC, as a static library.
# shellcheck source=lib.sh
. /input/lib.sh
# shellcheck source=package-lib.sh
. /input/package-lib.sh

unpack libcap
# BUILD_CC: the program that makes its table of names runs here and now.
make --jobs="$JOBS" --directory=libcap/libcap CC="$CC" BUILD_CC=gcc BUILD_LDFLAGS= AR="$AR" \
	RANLIB="$RANLIB" OBJCOPY="$TRIPLE-objcopy" SHARED=no prefix=/steps/libcap lib=lib libcap.a libcap.pc
mkdir -p /output/include/sys /output/lib/pkgconfig
cp libcap/libcap/include/sys/capability.h /output/include/sys/
cp libcap/libcap/libcap.a /output/lib/
cp libcap/libcap/libcap.pc /output/lib/pkgconfig/
