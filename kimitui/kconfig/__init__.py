"""Kconfig trees: the system tree, the upstream trees, and what their values mean. The only user of kconfiglib."""
