#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The init system: programs, libraries and the shell functions of services, but no service, for those come from the
# definitions in builder/services. Linked against shared libraries: each of its sixty helpers would carry its own copy.
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
# What a service is named, does and needs is not said here, and nothing is on by itself.
rm -rf usr/share usr/include lib/*.so etc/init.d/* etc/conf.d/* etc/runlevels/*/* etc/*.d/README
cp -R --preserve=mode . /output/root
find . -type f | while read -r file; do
	if [ "$(head -c 4 "$file" | tail -c 3)" = ELF ]; then
		rm "/output/root/$file"
		install_program "$file" "${file#./}"
	fi
done
