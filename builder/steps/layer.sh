#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The root file system compressed as a container layer. Parameters: COMPRESSION (gzip, zstd).
# In the toolchain and not on the host, because another zlib makes other bytes.
# shellcheck source=lib.sh
. /input/lib.sh

case $COMPRESSION in
gzip) gzip -9 --no-name --stdout /steps/rootfs/rootfs.tar >/output/layer ;;
zstd) zstd -19 --threads=1 --no-progress --stdout /steps/rootfs/rootfs.tar >/output/layer ;;
*)
	echo "unknown compression: $COMPRESSION"
	exit 1
	;;
esac
