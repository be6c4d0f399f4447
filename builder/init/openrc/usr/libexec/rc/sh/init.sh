#!/bin/sh
# Run by openrc before all services. /proc and /run are there: the initramfs has mounted them, or a container's engine.
# What an earlier start of a container has left is no longer true.

rm -rf "$RC_SVCDIR"
mkdir -p "$RC_SVCDIR" /run/lock
echo sysinit >"$RC_SVCDIR/softlevel"
