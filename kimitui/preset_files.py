"""The presets one can choose from, as files: list, copy and remove them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kimitui import preset as presets
from kimitui import resources, save_target
from kimitui.errors import KimituiError, MachineError, UsageError
from kimitui.preset import Preset


@dataclass(frozen=True)
class PresetFile:
    """A preset file, or why it cannot be read. `shipped` says that it comes with kimitui."""

    path: Path
    preset: Preset | None
    error: KimituiError | None = None
    shipped: bool = False

    @property
    def name(self) -> str:
        """How the preset is referred to."""
        return self.path.name.removesuffix(presets.SUFFIX)

    @property
    def removable(self) -> bool:
        """Whether it is one of ./presets, which one may remove."""
        ours = self.path.parent.resolve() == Path("presets").resolve()
        return ours and not save_target.refusal(self.path)


def preset_files() -> list[PresetFile]:
    """All presets that can be referred to by name: the project's own first, then those that come with kimitui.

    Among each, those that are extended come before those that extend them, else they are by name; those that cannot be
    read come last.
    """
    shipped_dir = resources.PRESETS_DIR.resolve()
    here = Path("presets").resolve()
    files = []
    for path in presets.list_presets():
        shipped = path.parent.resolve() == shipped_dir != here
        try:
            files.append(PresetFile(path, presets.read(path), shipped=shipped))
        except KimituiError as error:
            files.append(PresetFile(path, None, error, shipped))
    by_name = {file.name: file for file in files}

    def depth(file: PresetFile) -> int:
        steps = 0
        while file.preset and file.preset.extends in by_name and steps < len(files):
            file, steps = by_name[file.preset.extends], steps + 1
        return steps

    return sorted(files, key=lambda file: (file.shipped, file.preset is None, depth(file)))


def matching(files: Sequence[PresetFile], text: str) -> list[PresetFile]:
    """Those whose name, description or base holds every word of `text`, upper or lower case."""
    words = text.lower().split()

    def told(file: PresetFile) -> str:
        preset = file.preset
        return f"{file.name} {preset.name} {preset.description} {preset.extends}".lower() if preset else file.name

    return [file for file in files if all(word in told(file) for word in words)]


def extending(files: Sequence[PresetFile], name: str) -> list[str]:
    """The names of the presets that extend the one called `name`."""
    return [file.name for file in files if file.preset and file.preset.extends == name and file.name != name]


def copy(preset: Preset, target: Path) -> Path:
    """Copy a preset to the file `target` under that file's name, comments and all; returns where it is.

    Raises UsageError if there is a file already, PresetError if what it extends cannot be read, MachineError if it
    cannot be written.
    """
    from kimitui.config import Configuration

    if target.exists():
        raise UsageError(f"there is a {target} already", fix="choose another name")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MachineError(f"cannot make the directory: {error.strerror}", where=target.parent) from error
    return Configuration.from_preset(preset).save(target)


def remove(file: PresetFile) -> None:
    """Remove a preset's file. Raises UsageError if it is not one of ./presets, MachineError if it cannot be removed."""
    if not file.removable:
        raise UsageError(f"{file.path} is not in ./presets and is not removed")
    try:
        file.path.unlink()
    except OSError as error:
        raise MachineError(f"cannot remove the preset: {error.strerror}", where=file.path) from error
