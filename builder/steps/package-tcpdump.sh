#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What shows network traffic.
# shellcheck source=lib.sh
. /input/lib.sh
# shellcheck source=package-lib.sh
. /input/package-lib.sh

unpack tcpdump
cd tcpdump
export CPPFLAGS="-I/steps/libpcap/include" LDFLAGS="$LDFLAGS -L/steps/libpcap/lib"
configure --disable-local-libpcap --without-crypto --without-smi --without-cap-ng
make --jobs="$JOBS" tcpdump
install_program tcpdump usr/sbin/tcpdump
