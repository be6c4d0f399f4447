#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What becomes of archives when they are packed: /output/sizes has a line for each, `<archive> <method> <bytes>`.
# Parameters: SOURCE_DATE_EPOCH. The options are those of layer.sh and squashfs.sh.
# shellcheck source=lib.sh
. /input/lib.sh

packed() {
	echo "$1 $2 $(wc -c <"$3")" >>/output/sizes
}

for archive in /input/archives/*.tar; do
	name=$(basename "$archive" .tar)
	gzip -9 --no-name --stdout "$archive" >layer
	packed "$name" gzip layer
	zstd -19 --threads=1 --no-progress --quiet --stdout "$archive" >layer
	packed "$name" zstd layer
	for how in "zstd -Xcompression-level 22" xz "lz4 -Xhc" "lz4 -noI -noD -noF -noX"; do
		method=squashfs-${how%% *}
		case $how in *-noI*) method=squashfs-none ;; esac
		rm -f image
		# -nopad: what a whole block is filled up with says nothing. The last words are options.
		# shellcheck disable=SC2086
		sqfstar -processors 1 -b 256K -no-xattrs -root-mode 0755 -no-progress -quiet -nopad -comp $how image <"$archive"
		packed "$name" "$method" image
	done
done
