"""The steps of the user land: kernel headers, the linker, musl, fortify-headers, BusyBox."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from kimitui.build.flags import Flags, needs_linker
from kimitui.build.plan import dotconfig, hardened
from kimitui.build.plan.context import Context, builder_file
from kimitui.build.step import InputFile, Step
from kimitui.kconfig import busybox as busybox_tree


def linux_headers(context: Context) -> Step:
    """The kernel's headers for programs."""
    return Step(
        name="linux-headers",
        arch=context.arch.name,
        script="linux-headers.sh",
        sources=context.source("linux"),
        parameters={"TRIPLE": context.arch.triple, "KERNEL_ARCH": context.arch.linux},
        headers=True,
    )


def linker(context: Context) -> tuple[Step, ...]:
    """What gcc calls as ld, if that is not GNU ld as it is."""
    if not needs_linker(context.config):
        return ()
    return (
        Step(
            name="linker",
            arch=context.arch.name,
            script="linker.sh",
            parameters={"TRIPLE": context.arch.triple},
        ),
    )


def musl(context: Context, *uses: Step) -> Step:
    """The C library and what makes the compiler use it."""
    protect = context.config.choice("HARDENING_RELRO") != "none"
    return Step(
        name="musl",
        arch=context.arch.name,
        script="musl.sh",
        sources=context.source("musl"),
        uses=uses,
        parameters={
            "TRIPLE": context.arch.triple,
            "LINK": "static" if context.static else "dynamic",
            "RELRO": "1" if protect else "0",
            "CFLAGS_TARGET": shlex.join(context.flags.libc),
        },
        files={"relro.c": builder_file("steps/relro.c")} if protect else {},
        headers=True,
    )


def fortify_headers(context: Context) -> tuple[Step, ...]:
    """The headers of _FORTIFY_SOURCE, if the configuration has it."""
    if context.config.choice("HARDENING_FORTIFY") == "none":
        return ()
    step = Step(
        name="fortify-headers",
        arch="any",
        script="fortify-headers.sh",
        sources=context.source("fortify-headers"),
        headers=True,
    )
    return (step,)


def busybox_source(context: Context) -> Step:
    """BusyBox's source, prepared once for every configuration."""
    return Step(name="busybox-tree", arch="any", script="busybox-tree.sh", sources=context.source("busybox"))


def busybox(context: Context, tree: Step, *uses: Step) -> Step:
    """BusyBox as the configuration asks for it."""
    requested = context.config.requested("busybox")
    # BusyBox has neither hexadecimal nor tristate symbols, so what a preset says in quotes is a text there.
    texts = {name for name, value in context.config.further["busybox"].items() if isinstance(value, str)}
    texts |= {
        entry.key
        for entry in context.config.names.entries.values()
        if entry.section == "busybox" and entry.type == "string"
    }
    configured = Step(
        name="busybox-config",
        arch="any",
        script="busybox-config.sh",
        uses=(tree,),
        parameters={"UNNAMED": "default"},
        files={"requested.config": InputFile(dotconfig.text(requested, texts).encode())},
        verify=lambda output: nothing_lost(context, requested, output / "busybox.config", context.config.preset.path),
    )
    return busybox_program(
        context, "busybox", uses=(tree, configured, *uses), flags=context.flags, static=context.static
    )


def busybox_program(context: Context, name: str, *, uses: tuple[Step, ...], flags: Flags, static: bool) -> Step:
    """BusyBox with the configuration that the step `<name>-config`, one of `uses`, makes."""
    return Step(
        name=name,
        arch=context.arch.name,
        script="busybox.sh",
        uses=uses,
        parameters={
            **context.epoch,
            "TRIPLE": context.arch.triple,
            "CONFIGURED": f"{name}-config",
            "CFLAGS_TARGET": shlex.join(flags.compile),
            "LDFLAGS_TARGET": shlex.join(flags.link),
        },
        verify=lambda output: hardened.check(context, static, [output / "busybox.unstripped"]),
    )


def nothing_lost(context: Context, requested: Mapping[str, str], result: Path, asked_in: Path) -> None:
    """Raise BuildError if a value that BusyBox is asked for, in the file `asked_in`, is not in the `.config` file."""
    source = context.sources["busybox"]
    tree = busybox_tree.upstream_tree(source.path, context.trees, source.digest)
    dotconfig.check(tree, requested, result, what="BusyBox", where=asked_in)
