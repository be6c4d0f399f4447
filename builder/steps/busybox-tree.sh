#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# BusyBox's source with what does not depend on a configuration: generated Kconfig files and the tools of its build.
# shellcheck source=lib.sh
. /input/lib.sh

unpack busybox
# Linux 6.8 dropped the CBQ queueing discipline and its structures from the headers; tc still prints them.
sed -i '/^static int cbq_print_opt(/,/^}/d; s/\<cbq_print_opt(.*);/;/' busybox/networking/tc.c
# Its SHA instructions for 32-bit x86 name their constants by address; a static PIE has those only once it is loaded.
sed -i 's/^\tmova128\t*\(PSHUFFLE_[A-Z0-9_]*\),/\tcall 1f\n1:\tpopl %ecx\n\tmova128 \1-1b(%ecx),/
	s/^\tmovl\t*.K256+8\*16, SHA256CONSTANTS/\tleal K256+8*16-1b(%ecx), SHA256CONSTANTS/' busybox/libbb/hash_sha*_hwaccel_x86-32.S
# Without the time of this run in its headers; a configuration that builds gets that of the release.
KCONFIG_NOTIMESTAMP=1 make --directory=busybox --jobs="$JOBS" HOSTCC=gcc allnoconfig
rm busybox/.config
# What it generates is there now, and every make would run it again.
echo 'exit 0' >busybox/scripts/gen_build_files.sh
# Two thousand files that no build reads.
rm -rf busybox/testsuite busybox/docs busybox/examples busybox/qemu_multiarch_testing
# One file: many small ones are slow to write, and every build of BusyBox reads them all. To make, files of the same time
# are up to date.
tar --create --file=/output/busybox.tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 busybox
