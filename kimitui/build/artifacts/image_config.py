"""What a container image says of itself, from its configuration."""

from __future__ import annotations

from datetime import UTC, datetime

from kimitui import config_texts
from kimitui.build import contents, preflight
from kimitui.build.arch import Arch
from kimitui.build.artifacts import oci
from kimitui.build.release import Release
from kimitui.config import Configuration


def reference(config: Configuration, release: Release) -> str:
    """The name and tag a container engine knows the image by; `standard` is the release without a suffix."""
    variant = "" if config.name == "standard" else f"-{config.name}"
    return f"kimigayo-os:{release.version}{variant}"


def of(config: Configuration, release: Release, arch: Arch) -> oci.ImageConfig:
    """What goes into the archive beside the layer."""
    named = reference(config, release)
    created = datetime.fromtimestamp(release.source_date_epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return oci.ImageConfig(
        reference=named,
        architecture=arch.oci,
        created=release.source_date_epoch,
        command=preflight.words(config, "IMAGE_COMMAND"),
        entrypoint=preflight.words(config, "IMAGE_ENTRYPOINT"),
        user=contents.run_as(config),
        workdir=config.string("IMAGE_WORKDIR"),
        environment=config_texts.environment(config.string("IMAGE_ENV")),
        ports=config_texts.ports(config.string("IMAGE_PORTS")),
        labels={
            "org.opencontainers.image.title": f"Kimigayo OS {config.name}",
            "org.opencontainers.image.description": config.description,
            "org.opencontainers.image.version": release.version,
            "org.opencontainers.image.ref.name": named,
            "org.opencontainers.image.created": created,
            **config_texts.labels(config.string("IMAGE_LABELS")),
        },
    )
