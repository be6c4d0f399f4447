#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The first root file system of a machine that boots: BusyBox and /init, which finds the system image and starts it.
# shellcheck source=lib.sh
. /input/lib.sh

mkdir initramfs
cd initramfs
mkdir bin dev etc proc run sys system data new
cp /input/init init
cp /input/mounts /input/moves etc
cp /steps/initramfs-busybox/busybox bin/busybox
chmod 0755 init bin/busybox
while read -r applet; do
	ln -s busybox "bin/${applet##*/}"
done </steps/initramfs-busybox/busybox.links

find . -mindepth 1 -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
# Inode and device numbers would be those of this build; cpio's own --reproducible gives them anew.
find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort |
	cpio --create --format=newc --owner=0:0 --reproducible --quiet >../initramfs.cpio
zstd -19 --threads=1 --no-progress --quiet --stdout ../initramfs.cpio >/output/initramfs.cpio.zst
