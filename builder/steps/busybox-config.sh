#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# BusyBox's own Kconfig completes /input/requested.config; kimitui then compares the outcome with the request.
# Parameters: UNNAMED (default, off: the value of what is not named there).
# shellcheck source=lib.sh
. /input/lib.sh

tar --extract --file=/steps/busybox-tree/busybox.tar
cd busybox
# What `make oldconfig` and `make allnoconfig` run, without reading all makefiles.
case $UNNAMED in
default)
	cp /input/requested.config .config
	yes '' | scripts/kconfig/conf -o Config.in # every question is answered with its default
	;;
off) KCONFIG_ALLCONFIG=/input/requested.config scripts/kconfig/conf -n Config.in ;;
esac >/build/conf.log || {
	cat /build/conf.log
	exit 1
}
# The first lines hold the time of day.
sed '/^# Busybox version/d;/^# [A-Z][a-z][a-z] [A-Z][a-z][a-z] /d' .config >/output/busybox.config
