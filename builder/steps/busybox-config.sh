#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# BusyBox's own oldconfig completes /input/requested.config; kimitui then compares the outcome with the request.
# shellcheck source=lib.sh
. /input/lib.sh

unpack busybox
cp /input/requested.config busybox/.config
# The makefile sleeps a second after oldconfig for file systems with coarse time stamps; nothing is built here.
yes '' | make --directory=busybox HOSTCC="ccache gcc" MTIME_IS_COARSE='@: #' oldconfig >oldconfig.log || {
	cat oldconfig.log
	exit 1
}
# The first lines hold the time of day.
sed '/^# Busybox version/d;/^# [A-Z][a-z][a-z] [A-Z][a-z][a-z] /d' busybox/.config >/output/busybox.config
