#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What flags make of BusyBox's objects; see sizes_flags.py.
# shellcheck source=lib.sh
. /input/lib.sh

tar --extract --file=/steps/busybox-tree/busybox.tar
cd busybox
tar --extract --file=/steps/sizes-busybox/objects.tar
tar --extract --file=/steps/sizes-busybox/include.tar
# Without the compiler cache: nobody compiles these again.
printf '#!/bin/sh\nexec %s-gcc -mmusl -specs=/steps/musl/lib/musl.specs "$@"\n' "$TRIPLE" >/build/cc
chmod +x /build/cc
python3 /input/sizes_flags.py
