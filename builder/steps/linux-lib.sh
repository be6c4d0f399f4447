# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the steps that configure and build Linux share.

# kernel_make TARGET ...: Linux' make for /build/linux, with nothing in it of who builds it, where and when.
# Parameters: KERNEL_ARCH (as Linux names the architecture).
kernel_make() {
	make --directory=/steps/linux-tree/linux O=/build/linux --jobs="$JOBS" \
		ARCH="$KERNEL_ARCH" CROSS_COMPILE="$TRIPLE-" HOSTCC=gcc \
		KBUILD_BUILD_USER=kimitui KBUILD_BUILD_HOST=kimigayo KBUILD_BUILD_VERSION=1 LOCALVERSION= \
		KBUILD_BUILD_TIMESTAMP="$(date --utc --date="@$SOURCE_DATE_EPOCH" '+%a %b %e %H:%M:%S UTC %Y')" "$@"
}
