#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# BusyBox. Parameters: CONFIGURED (the step its configuration comes from); flags and link mode come from the environment.
# shellcheck source=lib.sh
. /input/lib.sh

tar --extract --file=/steps/busybox-tree/busybox.tar
cp "/steps/$CONFIGURED/busybox.config" busybox/.config
target_cc >cc
chmod +x cc
# quiet: the makefile takes any "s" in MAKEFLAGS, where make 4.4 keeps the variables too, for --silent.
# LDLIBS: musl has all in one library, so there is no need to link six times to find out which others to leave out.
# MTIME_IS_COARSE: it would sleep a second for file systems with coarse time stamps, should .config be edited again.
make --directory=busybox --jobs="$JOBS" quiet=quiet_ MTIME_IS_COARSE='@: #' \
	CC=/build/cc AR="$TRIPLE-ar" NM="$TRIPLE-nm" OBJCOPY="$TRIPLE-objcopy" HOSTCC=gcc SKIP_STRIP=y LDLIBS= \
	CONFIG_EXTRA_CFLAGS="\"$CFLAGS_TARGET\"" CFLAGS_busybox="$LDFLAGS_TARGET" busybox
cd busybox
# What `make busybox.links` does, without reading all makefiles again.
HOSTCC=gcc sh applets/busybox.mkll include/autoconf.h include/applets.h >/output/busybox.links
"$TRIPLE-strip" --strip-all --remove-section=.note --remove-section=.comment -o /output/busybox busybox_unstripped
cp busybox_unstripped /output/busybox.unstripped
