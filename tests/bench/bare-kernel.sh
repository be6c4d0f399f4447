#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The rival: the same source and configuration with plain make, no cache, no store. Runs in the sandbox that steps run
# in. /input/config comes from kimitui's own build.
set -eu
umask 022

mkdir linux
tar -xf /sources/linux -C linux --strip-components=1 --no-same-owner
cp /input/config linux/.config
make -C linux -j"$JOBS" ARCH=x86 CROSS_COMPILE=x86_64-linux-gnu- bzImage
cp linux/arch/x86/boot/bzImage /output
