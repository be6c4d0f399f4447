"""Starts what was built: the artifacts of a machine under QEMU, a root file system under the sandbox."""
