# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the steps of packages share, after lib.sh: the compiler and its flags, where makefiles and configure scripts look
# for them. A step leaves in /output/root what is laid over the root file system, in /output/unstripped its programs
# with symbols, from which their hardening is read back.
# Environment: VERSION (of the component), and what lib.sh names.

target_cc >/build/cc
chmod +x /build/cc
export CC=/build/cc AR="$TRIPLE-ar" RANLIB="$TRIPLE-ranlib" NM="$TRIPLE-nm" STRIP="$TRIPLE-strip"
export CFLAGS="-Os -ffunction-sections -fdata-sections $CFLAGS_TARGET"
export LDFLAGS="-Wl,--gc-sections $LDFLAGS_TARGET"
mkdir /output/root /output/unstripped

# configure OPTION ...: run the configure script here, for another machine whatever this one is, so that it runs nothing
# that it compiles.
configure() {
	./configure --build="$(uname -m)-pc-linux-gnu" --host="${TRIPLE%-gnu}-musl" --prefix=/usr --sysconfdir=/etc \
		--localstatedir=/var "$@" || {
		cat config.log
		return 1
	}
}

# install_program FILE PATH: FILE is /PATH in the image.
install_program() {
	mkdir -p "/output/root/${2%/*}" "/output/unstripped/${2%/*}"
	cp "$1" "/output/unstripped/$2"
	"$TRIPLE-strip" --strip-all --remove-section=.note --remove-section=.comment -o "/output/root/$2" "$1"
}

# install_links TARGET PATH ...: each /PATH in the image leads to /TARGET.
install_links() {
	target=$1
	shift
	for path; do
		mkdir -p "/output/root/${path%/*}"
		ln -s "/$target" "/output/root/$path"
	done
}
