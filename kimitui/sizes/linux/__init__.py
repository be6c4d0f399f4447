"""Measures Linux: which kernels to build, what is kept of them, and the model that is fitted to it."""
