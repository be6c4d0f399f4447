#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# BusyBox's own oldconfig completes /input/requested.config; kimitui then compares the outcome with the request.
# shellcheck source=lib.sh
. /input/lib.sh

tar --extract --file=/steps/busybox-tree/busybox.tar
cp /input/requested.config busybox/.config
cd busybox
# What `make oldconfig` runs, without reading all makefiles; every question is answered with its default.
yes '' | scripts/kconfig/conf -o Config.in >/build/oldconfig.log || {
	cat /build/oldconfig.log
	exit 1
}
# The first lines hold the time of day.
sed '/^# Busybox version/d;/^# [A-Z][a-z][a-z] [A-Z][a-z][a-z] /d' .config >/output/busybox.config
