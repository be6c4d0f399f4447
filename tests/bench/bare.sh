#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The rival: the same sources and configuration with plain make, one component after the other, no cache, no store.
# Runs in the sandbox that steps run in. /input/config and /input/flags come from kimitui's own build.
set -eu
umask 022
. /input/flags

for component in linux musl busybox; do
	mkdir $component
done
tar -xf /sources/musl -C musl --strip-components=1 --no-same-owner
tar -xf /sources/busybox -C busybox --strip-components=1 --no-same-owner
tar -xf /sources/linux -C linux --strip-components=1 --no-same-owner --wildcards --no-wildcards-match-slash \
	'*/Makefile' '*/Kbuild' '*/include/uapi' '*/include/linux/compiler_types.h' '*/scripts' '*/tools/include' '*/usr' \
	'*/include/asm-generic' '*/arch/x86'
make -C linux -j"$JOBS" ARCH=x86 INSTALL_HDR_PATH=/build/headers headers_install

cd musl
./configure --target="$TRIPLE" --prefix=/output --disable-wrapper --disable-shared CC="$TRIPLE-gcc" CFLAGS="$LIBC"
make -j"$JOBS"
make install
cd ..

# The compiler is told about musl by the specs file of kimitui's build, with its places changed.
sed 's,/steps/musl,/output,g; s,/steps/linux-headers,/build/headers,g; s,/output/lib/relro.o,,g' \
	/input/musl.specs >/output/lib/musl.specs
sed -i '/^static int cbq_print_opt(/,/^}/d; s/\<cbq_print_opt(.*);/;/' busybox/networking/tc.c
cp /input/config busybox/.config
make -C busybox -j"$JOBS" CC="$TRIPLE-gcc -mmusl -specs=/output/lib/musl.specs" SKIP_STRIP=y \
	CONFIG_EXTRA_CFLAGS="\"$COMPILE\"" CFLAGS_busybox="$LINK" busybox
"$TRIPLE-strip" --strip-all -o /output/busybox busybox/busybox_unstripped
