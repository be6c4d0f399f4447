#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The kernel. Its configuration comes from the step linux-config. Parameters: KERNEL_IMAGE (what is made, and the
# name of its file: bzImage, Image.gz), IDENTITY (what the objects of two kernels have in common if one can be made from
# those of the other: source and scripts).
# shellcheck source=lib.sh
. /input/lib.sh
# shellcheck source=linux-lib.sh
. /input/linux-lib.sh

is_on() {
	grep -q "^CONFIG_$1=y" linux/.config
}

# The objects of the last few kernels, each beside its configuration. kbuild knows which options an object has seen, and
# makes anew what others change; so the kernel that differs least is where to begin. ccache would only cost time: for it
# every option is in a header of every file.
kept=/ccache/linux/$ARCH-$(printf '%s' "$IDENTITY $CCACHE_COMPILERCHECK" | sha256sum | cut -c 1-32)
wanted=/steps/linux-config/kernel.config
closest=
fewest=
for objects in "$kept"/*.tar.zst; do
	[ -e "$objects" ] || continue
	lines=$(diff "${objects%.tar.zst}.config" "$wanted" | wc -l)
	if [ -z "$closest" ] || [ "$lines" -lt "$fewest" ]; then
		closest=$objects
		fewest=$lines
	fi
done
mkdir linux
if [ -n "$closest" ] && ! tar --extract --use-compress-program=zstd --file="$closest" --directory=linux; then
	rm -rf linux # damaged
	mkdir linux
fi
cp "$wanted" linux/.config
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

# Whatever goes wrong here costs time when the next kernel is built, and nothing else. What is linked from all objects is
# made anew each time. Kernels of other sources and scripts go, if nobody has just built one.
keep_objects() {
	mkdir -p "$kept" &&
		find /ccache/linux -mindepth 1 -maxdepth 1 -name "$ARCH-*" ! -path "$kept" -mmin +60 -exec rm -rf {} + &&
		new=$(mktemp "$kept/new.XXXXXX") &&
		tar --create --use-compress-program='zstd -1 --threads=0' --file="$new" --format=posix --directory=linux \
			--exclude='./vmlinux*' --exclude='./.tmp_vmlinux*' --exclude="./arch/*/boot/$KERNEL_IMAGE" . &&
		name=$kept/$(sha256sum <"$wanted" | cut -c 1-32) &&
		cp "$wanted" "$new.config" &&
		mv "$new.config" "$name.config" &&
		mv "$new" "$name.tar.zst" &&
		find "$kept" -name '*.tar.zst' -printf '%T@ %p\n' | sort -rn | sed '1,4d; s/^[^ ]* //; s/\.tar\.zst$//' |
		while read -r oldest; do
			rm -f "$oldest.tar.zst" "$oldest.config"
		done
}
new=
keep_objects || rm -f "$new" "$new.config"
