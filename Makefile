# SPDX-License-Identifier: GPL-2.0-only
#
#   make setup                  install what is needed: Debian packages, a virtual environment in .venv
#   make build PRESET=minimal   build an image into out/
#   make test                   the tests that decide (TESTS=path to run some)
#   make test-all               the slow ones as well: further kernels
#   make lint                   formatting, style, types, shell scripts
#   make bench                  measure; docs/benchmarks.md says what
#   make sizes                  measure what sizes are computed from; ARCH=arm64 for another architecture
#   make sizes-linux            the same for kernels: hours, resumed by the same command
#   make sizes-check            build drawn presets and kernels and compare them with their estimates
#   make screenshots            draw the pictures in screenshots/ anew

PRESET ?= minimal
TESTS ?= tests
ARCH ?= x86_64
VENV := .venv
STAMP := $(VENV)/.kimitui
# Builds in one process, and beside them, in another, what waits more than it computes.
PYTEST := $(VENV)/bin/pytest -n 2

.PHONY: setup build test test-all lint bench sizes sizes-linux sizes-check screenshots clean

setup: $(STAMP)

# tools/setup is quick when everything is there, and only then may it be skipped: a package can be removed meanwhile.
$(STAMP): pyproject.toml tools/setup
	tools/setup $(VENV)
	touch $@

build: setup
	$(VENV)/bin/kimitui build $(PRESET) $(BUILD_FLAGS)

test: setup
	tools/setup --tests $(VENV)
	$(PYTEST) -m "not slow" $(TESTS)

test-all: setup
	tools/setup --tests $(VENV)
	$(PYTEST) $(TESTS)

lint: setup
	tools/setup --tests $(VENV)
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	shellcheck --shell=sh --external-sources --source-path=SCRIPTDIR builder/steps/*.sh tools/setup \
		builder/initramfs/init builder/init/*/etc/rc/* builder/init/busybox/sbin/* builder/init/openrc/usr/libexec/rc/sh/* \
		builder/services/*/files/etc/rc/* builder/services/*/files/usr/share/udhcpc/* tests/machine/*.sh
	shellcheck .ci/run

bench: setup
	tools/setup --tests $(VENV)
	$(VENV)/bin/python -m tests.bench

sizes: setup
	$(VENV)/bin/kimitui sizes measure --arch $(ARCH)

sizes-linux: setup
	$(VENV)/bin/kimitui sizes measure-linux --arch $(ARCH) --results measurements/linux-$(ARCH).tar.xz

sizes-check: setup
	$(VENV)/bin/kimitui sizes check --arch $(ARCH) --record --svg docs/sizes-$(ARCH).svg
	$(VENV)/bin/kimitui sizes check-linux --arch $(ARCH) --svg docs/sizes-linux-$(ARCH).svg \
		--results measurements/linux-$(ARCH).tar.xz

screenshots: setup
	tools/setup --tests $(VENV)
	$(VENV)/bin/python -m tests.pictures

clean:
	rm -rf $(VENV) out dist
