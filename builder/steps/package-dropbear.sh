#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# SSH server, client, scp and key generator as one program.
# shellcheck source=lib.sh
. /input/lib.sh
# shellcheck source=package-lib.sh
. /input/package-lib.sh

unpack dropbear
cd dropbear
# Its arithmetic would be compiled for speed, with every loop unrolled, though it is wanted only once per connection.
export LTM_CFLAGS=-Os
# Its own hardening flags would come on top of ours. musl keeps no utmp, wtmp or lastlog.
configure --disable-harden --disable-zlib --disable-pam --disable-utmp --disable-utmpx --disable-wtmp --disable-wtmpx \
	--disable-lastlog --enable-bundled-libtom
make --jobs="$JOBS" PROGRAMS="dropbear dbclient dropbearkey scp" MULTI=1 SCPPROGRESS=1
install_program dropbearmulti usr/sbin/dropbear
install_links usr/sbin/dropbear usr/bin/dbclient usr/bin/ssh usr/bin/dropbearkey usr/bin/scp
