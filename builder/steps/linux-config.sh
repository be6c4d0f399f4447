#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Linux' own Kconfig completes /input/requested.config, where what is not named there is off; kimitui then compares the
# outcome with the request.
# shellcheck source=lib.sh
. /input/lib.sh
# shellcheck source=linux-lib.sh
. /input/linux-lib.sh

if ! kernel_make KCONFIG_ALLCONFIG=/input/requested.config allnoconfig >/build/log 2>&1 ||
	! kernel_make olddefconfig >>/build/log 2>&1; then
	cat /build/log
	exit 1
fi
cp linux/.config /output/kernel.config
