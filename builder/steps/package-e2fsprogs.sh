#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What makes, checks and changes ext2, ext3 and ext4.
# shellcheck source=lib.sh
. /input/lib.sh
# shellcheck source=package-lib.sh
. /input/package-lib.sh

unpack e2fsprogs
cd e2fsprogs
configure --enable-libuuid --enable-libblkid --disable-nls --disable-uuidd --disable-fuse2fs --disable-defrag \
	--disable-imager --disable-fsck --disable-testio-debug --disable-backtrace --without-libarchive \
	--with-crond-dir=no --with-systemd-unit-dir=no --with-udev-rules-dir=no
make --jobs="$JOBS" libs
make --jobs="$JOBS" -C misc mke2fs tune2fs dumpe2fs chattr lsattr
make --jobs="$JOBS" -C e2fsck e2fsck
make --jobs="$JOBS" -C resize resize2fs
make --jobs="$JOBS" -C debugfs debugfs
for program in misc/mke2fs misc/tune2fs misc/dumpe2fs e2fsck/e2fsck resize/resize2fs debugfs/debugfs; do
	install_program "$program" "sbin/${program#*/}"
done
install_program misc/chattr usr/bin/chattr
install_program misc/lsattr usr/bin/lsattr
install_links sbin/mke2fs sbin/mkfs.ext2 sbin/mkfs.ext3 sbin/mkfs.ext4
install_links sbin/e2fsck sbin/fsck.ext2 sbin/fsck.ext3 sbin/fsck.ext4
install_links sbin/tune2fs sbin/e2label
# What a file system gets by its type.
mkdir -p /output/root/etc
cp misc/mke2fs.conf /output/root/etc/
