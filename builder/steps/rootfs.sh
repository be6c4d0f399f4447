#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The root file system as a tar archive. /input/skeleton holds the files that are the same in every image and those
# that kimitui generates (os-release, host name, users, build metadata), /input/links a line for every symbolic link: it
# and where it leads; /input/overlay.tar, if there is one, is what the preset lays over all of it. Parameters: LINK,
# LOADER (musl's name for itself), USERS (words name:id:home:shell; the home without its first slash), PACKAGES (names
# of their steps), SETUID (0, 1).
# shellcheck source=lib.sh
. /input/lib.sh

mkdir rootfs
cd rootfs
mkdir -p bin dev etc home lib mnt opt proc root run sbin sys tmp usr/bin usr/lib usr/sbin usr/share \
	var/cache var/lib var/log var/spool var/tmp
ln -s ../run var/run
ln -s ../run/lock var/lock
cp -R /input/skeleton/. .
while read -r name target; do
	mkdir -p "${name%/*}"
	ln -s "$target" "$name"
done </input/links

for package in $PACKAGES; do
	tree=/steps/$package/root
	find "$tree" ! -type d -printf '%P\n' | while read -r file; do
		if [ -e "$file" ] || [ -L "$file" ]; then
			echo "$package brings /$file, which is there already" >&2
			exit 1
		fi
	done
	cp -R "$tree/." .
done
# Whatever directory of PATH it is in, a program of a skeleton or a package wins over the applet of its name.
find bin sbin usr/bin usr/sbin ! -type d -printf '%f\n' >/build/programs

cp /steps/busybox/busybox bin/busybox
while read -r applet; do
	grep -Fqx "${applet##*/}" /build/programs || ln -s /bin/busybox ".$applet"
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
[ "$SETUID" = 0 ] || chmod 4755 bin/busybox

if [ -e /input/overlay.tar ]; then
	# Directories that are there keep their modes, and links to directories stay links.
	tar --extract --file=/input/overlay.tar --no-same-owner --preserve-permissions --no-overwrite-dir \
		--keep-directory-symlink
fi
chmod 0600 etc/shadow

for user in $USERS; do
	home=${user#*:*:}
	home=${home%%:*}
	shell=${user##*:}
	if [ ! -e ".$shell" ] && [ ! -L ".$shell" ]; then
		echo "image.users: the shell $shell of ${user%%:*} is not in the image" >&2
		exit 1
	fi
	[ -z "$home" ] || [ -d "$home" ] || { mkdir -p "$home" && chmod 0750 "$home"; }
done

archive() {
	tar --file=/output/rootfs.tar --format=ustar --blocking-factor=2 --sort=name --numeric-owner \
		--mtime="@$SOURCE_DATE_EPOCH" "$@"
}

# Homes and what is in them belong to their users, all the rest to root.
set --
for user in $USERS; do
	home=${user#*:*:}
	home=${home%%:*}
	[ -z "$home" ] || set -- "$@" --exclude="$home"
done
# shellcheck disable=SC2046 # the top level has no names with spaces
archive --create --owner=0 --group=0 --anchored --no-wildcards "$@" $(ls -A)
for user in $USERS; do
	id=${user#*:}
	id=${id%%:*}
	home=${user#*:*:}
	home=${home%%:*}
	[ -z "$home" ] || archive --append --owner="$id" --group="$id" "$home"
done
