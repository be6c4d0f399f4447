#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# OpenRC: its programs, libraries and shell functions, but no service and no setting: those come from the definitions in
# builder/services and from builder/init/openrc. Nor its own first program, for that is BusyBox init, and what goes with
# it. Linked against shared libraries: each of its sixty helpers would carry its own copy.
# shellcheck source=lib.sh
. /input/lib.sh
# shellcheck source=package-lib.sh
. /input/package-lib.sh

# Libraries are position-independent in their own way, so meson says for each what it has to be.
pie=false
case " $CFLAGS_TARGET " in *" -fPIE "*) pie=true ;; esac

# words UNWANTED WORD ...: the words but the first as a list in meson's notation.
words() {
	unwanted=$1
	shift
	list=
	for word; do
		[ "$word" = "$unwanted" ] || list="$list${list:+, }'$word'"
	done
	echo "[$list]"
}

unpack openrc
# shellcheck disable=SC2086 # flags are words
cat >cross <<-EOF
	[binaries]
	c = '$CC'
	ar = '$AR'
	strip = '$STRIP'
	pkg-config = 'pkgconf'
	[built-in options]
	c_args = $(words -fPIE $CFLAGS)
	c_link_args = $(words -pie $LDFLAGS)
	[host_machine]
	system = 'linux'
	cpu_family = '${TRIPLE%%-*}'
	cpu = '${TRIPLE%%-*}'
	endian = 'little'
EOF
export PKG_CONFIG_LIBDIR=/steps/libcap/lib/pkgconfig
meson setup --cross-file=cross --prefix=/usr --libdir=/lib --libexecdir=/usr/libexec --sysconfdir=/etc \
	--localstatedir=/var --buildtype=plain --wrap-mode=nodownload -Db_pie=$pie \
	-Dos=Linux -Dshell=/bin/sh -Dpam=false -Daudit=disabled -Dselinux=disabled -Dnewnet=false -Dsysvinit=false \
	-Dbash-completions=false -Dzsh-completions=false -Dpkgconfig=false -Dbranding='"Kimigayo OS"' built openrc
ninja -C built -j "$JOBS"
DESTDIR=/build/installed meson install -C built --no-rebuild >/dev/null

cd installed
rm -rf usr/share usr/include lib/*.so etc sbin/openrc-init sbin/openrc-shutdown
mkdir -p etc/init.d etc/runlevels/sysinit etc/runlevels/boot etc/runlevels/default etc/runlevels/shutdown
# What mounts, sets up the console and fills control groups before there are services; we have services for that.
rm usr/libexec/rc/sh/init.sh usr/libexec/rc/sh/init-early.sh usr/libexec/rc/sh/*cgroup* usr/libexec/rc/sh/binfmt.sh \
	usr/libexec/rc/sbin/seedrng usr/libexec/rc/sbin/swclock
cp -R --preserve=mode . /output/root
find . -type f | while read -r file; do
	if [ "$(head -c 4 "$file" | tail -c 3)" = ELF ]; then
		rm "/output/root/$file"
		install_program "$file" "${file#./}"
	fi
done

# Most helpers are one program that goes by the name it is called with, compiled for each: one is enough.
cd /output/root
before='' first=''
find usr/libexec -type f -exec sha256sum {} + | sort | while read -r sum file; do
	if [ "$sum" = "$before" ]; then
		rm "/output/unstripped/$file" "$file"
		install_links "$first" "$file"
	else
		before=$sum first=$file
	fi
done
