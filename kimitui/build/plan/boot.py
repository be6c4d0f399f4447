"""The steps of what a machine boots beside the kernel: the system image and the initramfs."""

from __future__ import annotations

from kimitui.build.flags import flags
from kimitui.build.plan import userland
from kimitui.build.plan.context import Context, builder_file
from kimitui.build.step import Step
from kimitui.kconfig.explain import read_dotconfig
from kimitui.resources import BUILDER_DIR


def squashfs(context: Context, rootfs: Step) -> Step:
    """The root file system as a SquashFS image."""
    return Step(
        name="squashfs",
        arch=context.arch.name,
        script="squashfs.sh",
        uses=(rootfs,),
        parameters={**context.epoch, "COMPRESSION": context.config.choice("IMAGE_SQUASHFS")},
    )


def initramfs(context: Context, tree: Step, *uses: Step) -> Step:
    """The initramfs, with a static BusyBox of its own: what the image has does not decide whether it starts."""
    requested = BUILDER_DIR / "initramfs" / "busybox.config"
    configured = Step(
        name="initramfs-busybox-config",
        arch="any",
        script="busybox-config.sh",
        uses=(tree,),
        parameters={"UNNAMED": "off"},
        files={"requested.config": builder_file(str(requested.relative_to(BUILDER_DIR)))},
        verify=lambda output: userland.nothing_lost(
            context, read_dotconfig(requested), output / "busybox.config", requested
        ),
    )
    busybox = userland.busybox_program(
        context,
        "initramfs-busybox",
        uses=(tree, configured, *uses),
        flags=flags(context.config, static=True),
        static=True,
    )
    return Step(
        name="initramfs",
        arch=context.arch.name,
        script="initramfs.sh",
        uses=(busybox,),
        parameters=context.epoch,
        files={name: builder_file(f"initramfs/{name}") for name in ("init", "mounts", "moves")},
    )
