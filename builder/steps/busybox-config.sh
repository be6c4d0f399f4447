#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# BusyBox's own Kconfig completes /input/requested.config; kimitui then compares the outcome with the request.
# Parameters: UNNAMED (default, off: the value of what is not named there).
# shellcheck source=lib.sh
. /input/lib.sh

tar --extract --file=/steps/busybox-tree/busybox.tar
cd busybox
cp /input/requested.config .config
if [ "$UNNAMED" = off ]; then
	# BusyBox's allnoconfig does not heed what is asked for, so all the rest is switched off here.
	find . -name Config.in -exec sed -n 's/^config /CONFIG_/p' {} + | sort -u >symbols
	sed -n 's/^\(CONFIG_[A-Z0-9_]*\)=.*/\1/p' /input/requested.config | sort -u >requested
	comm -23 symbols requested | sed 's/.*/# & is not set/' >>.config
fi
# What `make oldconfig` runs, without reading all makefiles; every question is answered with its default.
yes '' | scripts/kconfig/conf -o Config.in >/build/oldconfig.log || {
	cat /build/oldconfig.log
	exit 1
}
# The first lines hold the time of day.
sed '/^# Busybox version/d;/^# [A-Z][a-z][a-z] [A-Z][a-z][a-z] /d' .config >/output/busybox.config
