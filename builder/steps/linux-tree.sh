#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Linux' source, unpacked once for every architecture and configuration; kernels are built beside it, not in it.
# shellcheck source=lib.sh
. /input/lib.sh

cd /output
# Thousands of files that no build reads; the Kconfig files among the documentation are read.
unpack linux --exclude='*/Documentation/*/*' --exclude='*/tools/perf' --exclude='*/tools/testing'
