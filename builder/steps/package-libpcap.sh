#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What tcpdump captures packets with, as a static library.
# shellcheck source=lib.sh
. /input/lib.sh
# shellcheck source=package-lib.sh
. /input/package-lib.sh

unpack libpcap
cd libpcap
configure --with-pcap=linux --without-libnl --disable-shared --disable-usb --disable-bluetooth --disable-dbus \
	--disable-rdma --disable-netmap --without-dag --without-dpdk --without-snf
make --jobs="$JOBS" libpcap.a
mkdir /output/include /output/lib
cp -R pcap pcap.h pcap-bpf.h pcap-namedb.h /output/include/
cp libpcap.a /output/lib/
