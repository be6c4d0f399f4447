#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The kernel. Its configuration comes from the step linux-config. Parameters: KERNEL_IMAGE (what is made, and the
# name of its file: bzImage, Image.gz).
# shellcheck source=lib.sh
. /input/lib.sh
# shellcheck source=linux-lib.sh
. /input/linux-lib.sh

is_on() {
	grep -q "^CONFIG_$1=y" linux/.config
}

mkdir linux
cp /steps/linux-config/kernel.config linux/.config
targets=$KERNEL_IMAGE
! is_on MODULES || targets="$targets modules"
# Only where a board is chosen is there a device tree to make.
! is_on OF || [ "$KERNEL_ARCH" = x86 ] || targets="$targets dtbs"
# shellcheck disable=SC2086 # targets are words
kernel_make $targets

cp "linux/arch/$KERNEL_ARCH/boot/$KERNEL_IMAGE" /output/vmlinuz
zstd -19 --threads=1 --no-progress --quiet --stdout linux/System.map >/output/System.map.zst
cp linux/include/config/kernel.release /output/kernel.release
if is_on MODULES; then
	kernel_make INSTALL_MOD_PATH=/build/modules INSTALL_MOD_STRIP=1 modules_install
	# They lead to where the kernel was built.
	rm -f modules/lib/modules/*/build modules/lib/modules/*/source
	cp -R modules/lib /output/lib
fi
case " $targets " in
*" dtbs "*)
	kernel_make INSTALL_DTBS_PATH=/build/dtbs dtbs_install
	if [ -n "$(find dtbs -name '*.dtb' 2>/dev/null)" ]; then
		tar --create --file=/output/dtbs.tar --format=ustar --sort=name --owner=0 --group=0 --numeric-owner \
			--mode=u=rwX,go=rX --mtime="@$SOURCE_DATE_EPOCH" dtbs
	fi
	;;
esac
