#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# BusyBox. Its configuration comes from the step busybox-config; flags and link mode come from the environment.
# shellcheck source=lib.sh
. /input/lib.sh

unpack busybox
# Linux 6.8 dropped the CBQ queueing discipline and its structures from the headers; tc still prints them.
sed -i '/^static int cbq_print_opt(/,/^}/d; s/\<cbq_print_opt(.*);/;/' busybox/networking/tc.c

cp /steps/busybox-config/busybox.config busybox/.config
bb_make() {
	make --directory=busybox --jobs="$JOBS" \
		CC="$(target_cc)" AR="$TRIPLE-ar" NM="$TRIPLE-nm" OBJCOPY="$TRIPLE-objcopy" \
		HOSTCC="ccache gcc" SKIP_STRIP=y CONFIG_EXTRA_CFLAGS="\"$CFLAGS_TARGET\"" \
		CFLAGS_busybox="$LDFLAGS_TARGET" "$@"
}
bb_make busybox
bb_make busybox.links
"$TRIPLE-strip" --strip-all --remove-section=.note --remove-section=.comment -o /output/busybox busybox/busybox_unstripped
cp busybox/busybox_unstripped /output/busybox.unstripped
cp busybox/busybox.links /output/busybox.links
