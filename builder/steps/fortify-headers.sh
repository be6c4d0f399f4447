#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The headers that make _FORTIFY_SOURCE mean something with musl.
# shellcheck source=lib.sh
. /input/lib.sh

unpack fortify-headers
make --directory=fortify-headers PREFIX=/build/installed install
mkdir /output/include
cp -R installed/include/fortify/. /output/include/
