#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# BusyBox's usage texts under other values of its symbols; see sizes_usage.py.
# shellcheck source=lib.sh
. /input/lib.sh

tar --extract --file=/steps/busybox-tree/busybox.tar
cd busybox
tar --extract --file=/steps/sizes-busybox/include.tar
python3 /input/sizes_usage.py
