#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Measures kernels, one a run, all in /build, which stays: make compiles anew only what another configuration touches.
# /sources/measured/requested.config is configured as the step linux-config does it and built as the step linux does it, and what
# is measured is left in /sources/measured. Parameters: KERNEL_ARCH, KERNEL_IMAGE. Of what /sources/measured/wanted
# names, if anything, only these objects are compiled. Where there is /sources/measured/take-apart, parts are packed, too.
# shellcheck source=lib.sh
. /input/lib.sh
# shellcheck source=linux-lib.sh
. /input/linux-lib.sh

objects() {
	python3 /input/sizes_linux.py /build/linux "${TRIPLE%%-*}" "$@" >/sources/measured/objects.json
}

# What is in /build/modules: bytes, bytes of the file packed by itself, path.
installed() {
	find modules/lib -type f | sort | while read -r file; do
		echo "$(stat --format=%s "$file") $(gzip -n -9 <"$file" | wc -c) ${file#modules/}"
	done >/sources/measured/modules
	rm -rf modules
}

mkdir -p linux
# What was being written when an earlier run was killed may be there in part.
[ ! -e running ] || find linux \( -name '.*.cmd' -o -name '*.o' -o -name '*.a' \) -newer running -delete
touch running
trap 'rm -f running' EXIT
kernel_make KCONFIG_ALLCONFIG=/sources/measured/requested.config allnoconfig >/dev/null
kernel_make olddefconfig >/dev/null
cp linux/.config /sources/measured/kernel.config

# Modules by themselves, all or those that are wanted, and of which objects each is. No kernel is linked, so nobody can
# say whether it has what they use.
if [ -e /sources/measured/modules-only ]; then
	wanted=$(cat /sources/measured/wanted)
	rm -f linux/vmlinux.o linux/*.symvers # of another kernel, which may have what are modules here
	# shellcheck disable=SC2086 # names are words
	kernel_make KBUILD_MODPOST_WARN=1 ${wanted:-modules}
	[ -n "$wanted" ] || wanted=$(sed 's/\.o$/.ko/' linux/modules.order)
	release=$(cat linux/include/config/kernel.release)
	rm -rf modules # of a run that was killed
	for module in $wanted; do
		mkdir -p "modules/lib/modules/$release/kernel/${module%/*}"
		"$TRIPLE-strip" --strip-debug -o "modules/lib/modules/$release/kernel/$module" "linux/$module"
		echo "$module $(tr '\n' ' ' <"linux/${module%.ko}.mod")"
	done >/sources/measured/composition
	cut -d ' ' -f 1 /sources/measured/composition | sed 's|^|kernel/|' >"modules/lib/modules/$release/modules.order"
	depmod -b modules "$release"
	installed
	# shellcheck disable=SC2046
	objects $(cut -d ' ' -f 2- /sources/measured/composition)
	exit
fi

if [ -s /sources/measured/wanted ]; then
	# What cannot be made by itself (a few objects are parts of others) is left out.
	# shellcheck disable=SC2046 # names are words
	kernel_make --keep-going $(cat /sources/measured/wanted) || echo "some were not made"
	# shellcheck disable=SC2046
	objects $(cat /sources/measured/wanted)
	exit
fi

kernel_make "$KERNEL_IMAGE"
objects
# Of a riscv kernel that moves itself, only this one has what it moves by, as its image has.
program=linux/vmlinux
[ ! -e $program.relocs ] || ! grep -q '^CONFIG_RELOCATABLE=y' linux/.config || program=$program.relocs
readelf --section-headers --wide $program >/sources/measured/sections
boot=linux/arch/$KERNEL_ARCH/boot
stat --format=%s "$boot/$KERNEL_IMAGE" >/sources/measured/vmlinuz-bytes

# What is packed, and what each compressor makes of it.
payload=/build/payload
if [ "$KERNEL_ARCH" = x86 ]; then
	cat "$boot/compressed/vmlinux.bin" >$payload
	[ ! -e "$boot/compressed/vmlinux.relocs" ] || ! grep -q '^CONFIG_X86_NEED_RELOCS=y' linux/.config ||
		cat "$boot/compressed/vmlinux.relocs" >>$payload
	size "$boot/compressed/vmlinux" "$boot/setup.elf" >/sources/measured/wrapper
else
	cp "$boot/Image" $payload
fi
stat --format=%s $payload >/sources/measured/payload-bytes
python3 /input/sizes_packed.py /build/linux "$KERNEL_ARCH" "/build/$program" "$payload" /sources/measured

# Modules as the step linux installs them.
if grep -q '^CONFIG_MODULES=y' linux/.config; then
	kernel_make modules
	kernel_make INSTALL_MOD_PATH=/build/modules INSTALL_MOD_STRIP=1 modules_install
	installed
fi
