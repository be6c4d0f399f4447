#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# BusyBox compiled as the build does it, to be measured: every object with the command that made it, what the generated
# headers say, the objects that the compiler adds, and the program. Parameters: as busybox.sh.
# shellcheck source=lib.sh
. /input/lib.sh

tar --extract --file=/steps/busybox-tree/busybox.tar
cp "/steps/$CONFIGURED/busybox.config" busybox/.config
target_cc >cc
chmod +x cc
make --directory=busybox --jobs="$JOBS" quiet=quiet_ MTIME_IS_COARSE='@: #' \
	CC=/build/cc AR="$TRIPLE-ar" NM="$TRIPLE-nm" OBJCOPY="$TRIPLE-objcopy" HOSTCC=gcc SKIP_STRIP=y LDLIBS= \
	CONFIG_EXTRA_CFLAGS="\"$CFLAGS_TARGET\"" CFLAGS_busybox="$LDFLAGS_TARGET" busybox
cd busybox
"$TRIPLE-strip" --strip-all --remove-section=.note --remove-section=.comment -o /output/busybox busybox_unstripped
cp busybox_unstripped /output/busybox.unstripped
cp .config /output/busybox.config
HOSTCC=gcc sh applets/busybox.mkll include/autoconf.h include/applets.h >/output/busybox.links
find . -name '*.o' ! -name built-in.o ! -path './scripts/*' ! -path './applets/usage*' -printf '%P\n' -o \
	-name '.*.o.cmd' -printf '%P\n' | sort >/build/members
tar --create --file=/output/objects.tar --files-from=/build/members
# What a second compilation of one object needs besides the source.
tar --create --file=/output/include.tar include
mkdir /output/runtime
for file in libgcc.a crtbeginS.o crtendS.o crtbegin.o crtend.o crtbeginT.o; do
	cp "$(/build/cc -print-file-name="$file")" /output/runtime/
done
