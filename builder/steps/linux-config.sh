#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Linux' smallest configuration, with /input/requested.config on top, completed by Linux' own olddefconfig; kimitui then
# compares the outcome with the request.
# shellcheck source=lib.sh
. /input/lib.sh
# shellcheck source=linux-lib.sh
. /input/linux-lib.sh

kernel_make tinyconfig >/build/tinyconfig.log
cat /input/requested.config >>linux/.config
kernel_make olddefconfig >/build/olddefconfig.log 2>&1 || {
	cat /build/olddefconfig.log
	exit 1
}
# That a value of the smallest configuration is set again is meant.
grep -v 'warning: override: reassigning' /build/olddefconfig.log || true
cp linux/.config /output/kernel.config
