#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# GNU ld as -B makes gcc find it, for programs that Cortex-A53's erratum 843419 concerns. What ld does about it unless
# told otherwise takes a page of 4 kB for each place; putting another instruction there takes nothing, but reaches only
# 1 MiB, so ld is called again where that was not enough.
# shellcheck source=lib.sh
. /input/lib.sh

cat >/output/ld <<-EOF
	#!/bin/sh
	{ said=\$($TRIPLE-ld "\$@" --fix-cortex-a53-843419=adr 2>&1 >&3); status=\$?; } 3>&1
	case \$said in
	*" --fix-cortex-a53-843419=adr used."*) exec $TRIPLE-ld "\$@" --fix-cortex-a53-843419=full ;;
	"") ;;
	*) printf '%s\n' "\$said" >&2 ;;
	esac
	exit \$status
EOF
chmod +x /output/ld
