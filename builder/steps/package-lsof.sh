#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What lists open files.
# shellcheck source=lib.sh
. /input/lib.sh
# shellcheck source=package-lib.sh
. /input/package-lib.sh

unpack lsof
cd lsof
# Its script finds out what the machine is that it runs on, and writes into the program who compiled it and where. What
# that would say of Linux with musl is known.
cat >version.h <<-EOF
	#define LSOF_VERSION "$VERSION"
	#define LSOF_CC ""
	#define LSOF_CCV ""
	#define LSOF_CCDATE ""
	#define LSOF_CCFLAGS ""
	#define LSOF_CINFO ""
	#define LSOF_HOST ""
	#define LSOF_LDFLAGS ""
	#define LSOF_LOGNAME ""
	#define LSOF_SYSINFO ""
	#define LSOF_USER ""
EOF
cat >flags <<-EOF
	-I. -Iinclude -Ilib -Isrc -Ilib/dialects/linux $CFLAGS
	-D_GNU_SOURCE -DHASIPv6 -DHASNORPC_H -DNEEDS_NETINET_TCPH -DHASUXSOCKEPT -DHASPTYEPT -DHASSOSTATE -DHASSOOPT -DHAS_DUP2
EOF
for file in lib/*.c lib/dialects/linux/*.c src/*.c src/dialects/linux/*.c; do
	object=$(echo "${file%.c}.o" | tr / -)
	echo "all: $object"
	printf '%s: %s\n\t%s @flags -c %s -o %s\n' "$object" "$file" "$CC" "$file" "$object"
done >objects.mk
make --jobs="$JOBS" -f objects.mk all
# shellcheck disable=SC2086 # flags are words
"$CC" ./*.o $LDFLAGS -o lsof
install_program lsof usr/bin/lsof
