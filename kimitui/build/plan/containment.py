"""The steps of what contains services: the launcher, and the filters of system calls that it gives to the kernel."""

from __future__ import annotations

import shlex

from kimitui import seccomp
from kimitui.build import services
from kimitui.build.flags import flags
from kimitui.build.plan import hardened
from kimitui.build.plan.context import Context, builder_file, builder_files
from kimitui.build.step import InputFile, Step
from kimitui.services.words import filter_name, needs_launcher, own_filter


def steps(context: Context, libraries: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps whose trees `root` are laid over the root file system; none where nothing needs the launcher."""
    if context.config.is_on("HARDENING_CONTAINMENT"):
        return (contain(context, libraries), filters(context))
    if any(needs_launcher(service) for service in services.chosen(context.config).services):
        return (contain(context, libraries),)
    return ()


def contain(context: Context, libraries: tuple[Step, ...]) -> Step:
    """The launcher: static, whatever the image links, because what it starts sees little of the system."""
    linked = flags(context.config, static=True)
    return Step(
        name="contain",
        arch=context.arch.name,
        script="contain.sh",
        uses=libraries,
        parameters={
            "TRIPLE": context.arch.triple,
            "CFLAGS_TARGET": shlex.join(linked.compile),
            "LDFLAGS_TARGET": shlex.join(linked.link),
        },
        files=builder_files("launcher", "launcher"),
        verify=lambda output: hardened.check(context, True, [output / "unstripped/sbin/contain"]),
    )


def filters(context: Context) -> Step:
    """A filter for every class of system calls that services can name: `/usr/lib/seccomp/<class>.bpf`."""
    classes = seccomp.load()
    filters = {name: classes.calls[name] for name in classes.offered}
    for service in services.chosen(context.config).services:
        if calls := own_filter(service):
            filters[filter_name(service)] = classes.resolve(calls)
    return Step(
        name="seccomp",
        arch=context.arch.name,
        script="seccomp.sh",
        parameters={"SECCOMP_ARCH": seccomp.ARCHES[context.arch.name]},
        files={
            "filter.c": builder_file("seccomp/filter.c"),
            **{f"filters/{name}": InputFile(seccomp.rules(calls).encode()) for name, calls in filters.items()},
        },
    )
