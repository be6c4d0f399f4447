#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs where the step linux-config does: completes every request in /sources/each/requests, as that step does with its one.
# shellcheck source=../../builder/steps/lib.sh
. /input/lib.sh
# shellcheck source=../../builder/steps/linux-lib.sh
. /input/linux-lib.sh

kernel_make allnoconfig
cd linux/scripts/kconfig
objcopy --redefine-sym main=conf_main --redefine-sym conf_parse=conf_parsed conf.o conf_main.o
gcc -Wall -Wextra -O2 -o conf /sources/each/each_config.c conf_main.o \
	confdata.o expr.o lexer.lex.o menu.o parser.tab.o preprocess.o symbol.o util.o
# Linux' makefile runs it with all that the Kconfig files want to know.
REQUESTS=/sources/each/requests MADE=/sources/each/made kernel_make allnoconfig
