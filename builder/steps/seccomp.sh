#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Filters of system calls, one for each /input/filters/<name>; the launcher gives them to the kernel.
# Parameters: SECCOMP_ARCH (as libseccomp names the architecture).
# shellcheck source=lib.sh
. /input/lib.sh

gcc -std=gnu11 -O1 -Wall -Wextra /input/filter.c -lseccomp -o filter
mkdir -p /output/root/usr/lib/seccomp
for calls in /input/filters/*; do
	./filter "$SECCOMP_ARCH" <"$calls" >"/output/root/usr/lib/seccomp/${calls##*/}.bpf"
done
