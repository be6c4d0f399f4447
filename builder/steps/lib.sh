# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What every step begins with. A step runs in /build (empty, writable), reads /sources/<component>,
# /steps/<step> (outputs of the steps it uses) and /input, and leaves its result in /output.
#
# Environment: ARCH (x86_64, arm64, riscv64, i686), TRIPLE (the compiler's prefix), JOBS, SOURCE_DATE_EPOCH,
# CFLAGS_TARGET and LDFLAGS_TARGET (hardening, for code that ends up in the image).

set -eu
umask 022

# unpack COMPONENT [MEMBER ...]: the component's tree becomes ./COMPONENT.
unpack() {
	component=$1
	shift
	if [ -d "/sources/$component" ]; then
		cp -R --preserve=mode,timestamps "/sources/$component" "$component"
		return
	fi
	mkdir "$component"
	tar --extract --file="/sources/$component" --directory="$component" --strip-components=1 --no-same-owner \
		--no-same-permissions --wildcards --no-wildcards-match-slash "$@"
}

# A script that is the compiler for the image: Debian's gcc, told by a specs file to use our musl and kernel headers.
# Only compilations go through ccache: probing for flags and linking would only be slower.
target_cc() {
	cat <<-EOF
		#!/bin/sh
		case " \$* " in *" -c "*) ccache=ccache ;; *) ccache= ;; esac
		exec \$ccache $TRIPLE-gcc -mmusl -specs=/steps/musl/lib/musl.specs "\$@"
	EOF
}
