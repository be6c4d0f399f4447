"""The steps of the kernel: Linux' source unpacked, its configuration, the build."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from kimitui.build.plan import dotconfig
from kimitui.build.plan.context import Context, builder_file
from kimitui.build.step import InputFile, Step
from kimitui.kconfig import linux as linux_tree
from kimitui.kconfig.types import Kconfig

# What the architecture's makefile makes: compressed, with the code that unpacks it where the architecture has that.
_IMAGES = {"x86": "bzImage", "arm64": "Image.gz", "riscv": "Image.gz"}


def source(context: Context) -> Step:
    """Linux' source, unpacked once for every architecture and configuration."""
    return Step(name="linux-tree", arch="any", script="linux-tree.sh", sources=context.source("linux"), large=True)


def linux(context: Context) -> Step:
    """The kernel as the configuration asks for it."""
    tree = source(context)
    wanted = context.config.requested("kernel")
    everything = dotconfig.text({**linux_tree.base(context.arch.name), **wanted}, _texts(context))
    parameters = {**context.epoch, "TRIPLE": context.arch.triple, "KERNEL_ARCH": context.arch.linux}
    shared = {"linux-lib.sh": builder_file("steps/linux-lib.sh")}
    configured = Step(
        name="linux-config",
        arch=context.arch.name,
        script="linux-config.sh",
        uses=(tree,),
        parameters=parameters,
        files={**shared, "requested.config": InputFile(everything.encode())},
        verify=lambda output: _nothing_lost(context, wanted, output / "kernel.config"),
    )
    return Step(
        name="linux",
        arch=context.arch.name,
        script="linux.sh",
        uses=(tree, configured),
        parameters={
            **parameters,
            "KERNEL_IMAGE": _IMAGES[context.arch.linux],
            "IDENTITY": _identity(context, "linux-tree.sh", "linux-lib.sh", "linux.sh"),
        },
        files=shared,
        large=True,
    )


def _identity(context: Context, *scripts: str) -> str:
    """A digest of the source and of the scripts that compile it, whatever the configuration."""
    contents = [builder_file(f"steps/{name}").content for name in scripts]
    return hashlib.sha256(b"\0".join([context.sources["linux"].digest.encode(), *contents])).hexdigest()


def _texts(context: Context) -> set[str]:
    """The requested symbols whose values are texts, which a `.config` file quotes."""
    config = context.config
    further = {name for name, value in config.further["kernel"].items() if isinstance(value, str)}
    texts = {
        entry.symbol.removeprefix("KERNEL_")
        for entry in config.names.entries.values()
        if entry.section == "kernel" and entry.type == "string"
    }
    if further:  # tristates and hexadecimal numbers are strings in a preset, too
        upstream = _upstream(context)
        texts |= {name for name in further if linux_tree.is_text(upstream, name)}
    return texts


def _nothing_lost(context: Context, wanted: Mapping[str, str], result: Path) -> None:
    dotconfig.check(_upstream(context), wanted, result, what="Linux", where=context.config.preset.path)


def _upstream(context: Context) -> Kconfig:
    source = context.sources["linux"]
    return linux_tree.upstream_tree(source.path, context.trees, source.digest, context.arch.name)
