#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The root file system as a SquashFS image. Parameters: COMPRESSION (zstd, xz, lz4, none).
# shellcheck source=lib.sh
. /input/lib.sh

case $COMPRESSION in
zstd) how="-comp zstd -Xcompression-level 22" ;;
xz) how="-comp xz" ;;
lz4) how="-comp lz4 -Xhc" ;;
# The kernel wants the compressor that is named in the image even where nothing is compressed; lz4 is the smallest.
none) how="-comp lz4 -noI -noD -noF -noX" ;;
*)
	echo "unknown compression: $COMPRESSION"
	exit 1
	;;
esac
# The archive is sorted and has its owners and times; SOURCE_DATE_EPOCH is the time of the image itself.
# shellcheck disable=SC2086 # options are words
sqfstar -processors 1 -b 256K -no-xattrs -root-mode 0755 -no-progress -quiet $how /output/system.squashfs </steps/rootfs/rootfs.tar
