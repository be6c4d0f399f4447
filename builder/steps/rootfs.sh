#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The root file system as a tar archive. /input/skeleton holds the files that are the same in every image and those
# that kimitui generates (os-release, host name, build metadata). Parameters: LINK, LOADER (musl's name for itself).
# shellcheck source=lib.sh
. /input/lib.sh

mkdir rootfs
cd rootfs
mkdir -p bin dev etc home lib mnt opt proc root run sbin sys tmp usr/bin usr/lib usr/sbin usr/share \
	var/cache var/lib var/log var/spool var/tmp
ln -s ../run var/run
ln -s ../run/lock var/lock
cp -R /input/skeleton/. .

cp /steps/busybox/busybox bin/busybox
while read -r applet; do
	# A skeleton's or a package's own program wins over the applet of the same name.
	[ -e ".$applet" ] || ln -s /bin/busybox ".$applet"
done </steps/busybox/busybox.links

if [ "$LINK" = dynamic ]; then
	cp /steps/musl/lib/libc.so.stripped "lib/$LOADER"
	ln -s "$LOADER" lib/libc.so
	ln -s "/lib/$LOADER" usr/bin/ldd
fi

if [ -d /steps/linux/lib ]; then
	cp -R /steps/linux/lib/. lib/
fi

# Modes are set here, not taken from wherever the files came from.
find . -type d -exec chmod 0755 {} +
find . -type f -perm /111 -exec chmod 0755 {} +
find . -type f ! -perm /111 -exec chmod 0644 {} +
chmod 0555 proc sys
chmod 0700 root
chmod 1777 tmp var/tmp
chmod 0600 etc/shadow

# shellcheck disable=SC2046 # the top level has no names with spaces
tar --create --file=/output/rootfs.tar --format=ustar --blocking-factor=2 --sort=name \
	--owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" $(ls -A)
