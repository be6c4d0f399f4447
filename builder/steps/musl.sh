#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The C library and what makes Debian's gcc use it. Parameters: LINK (static, dynamic), RELRO (0, 1).
# shellcheck source=lib.sh
. /input/lib.sh

unpack musl
cd musl
shared=--disable-shared
[ "$LINK" = static ] || shared=--enable-shared
./configure --target="$TRIPLE" --prefix=/output --syslibdir=/output/lib --disable-wrapper "$shared" \
	CC="$TRIPLE-gcc" CFLAGS="$CFLAGS_TARGET"
make --jobs="$JOBS"
make install

lib=/steps/musl/lib
start=
if [ "$RELRO" = 1 ]; then
	# shellcheck disable=SC2086 # flags are words
	"$TRIPLE-gcc" -nostdinc -isystem /output/include -Os $CFLAGS_TARGET -c /input/relro.c -o /output/lib/relro.o
	start="$lib/relro.o"
fi

canary=
if [ "$ARCH" = i686 ]; then
	# Where a canary is damaged, 32-bit position-independent code calls a function of its own file; libc.so has none.
	echo 'void __stack_chk_fail(void);
		__attribute__((visibility("hidden"))) void __stack_chk_fail_local(void) { __stack_chk_fail(); }' >canary.c
	# shellcheck disable=SC2086 # flags are words
	"$TRIPLE-gcc" -Os $CFLAGS_TARGET -c canary.c -o canary.o
	"$TRIPLE-ar" crD /output/lib/libssp_nonshared.a canary.o
	canary="-lssp_nonshared "
fi

headers="-nostdinc -isystem /steps/musl/include -isystem /steps/linux-headers/include -isystem include%s"
# %s is gcc's own directory; crt1 and its kin are musl's. -nostdinc and our own -L keep glibc out. The headers come last:
# those of fortify-headers, which a command names, are to be found before those that they wrap.
cat >/output/lib/musl.specs <<-EOF
	%rename cpp_options gcc_cpp_options
	%rename cc1 gcc_cc1

	*cpp_options:
	%(gcc_cpp_options) $headers

	*cc1:
	%(gcc_cc1) $headers

	*startfile:
	%{shared:;static-pie:$lib/rcrt1.o;static|no-pie:$lib/crt1.o;:$lib/Scrt1.o} $lib/crti.o %{static-pie:crtbeginS.o%s;static:crtbeginT.o%s;shared|!no-pie:crtbeginS.o%s;:crtbegin.o%s} %{static|static-pie:$start}

	*endfile:
	%{static-pie:crtendS.o%s;static:crtend.o%s;shared|!no-pie:crtendS.o%s;:crtend.o%s} $lib/crtn.o

	*link_libgcc:
	-L$lib -L.%s

	*libgcc:
	${canary}libgcc.a%s

EOF
if [ "$LINK" = dynamic ]; then
	rm -f /output/lib/ld-musl-*.so.1
	"$TRIPLE-strip" --strip-unneeded -o /output/lib/libc.so.stripped /output/lib/libc.so
fi
