"""Where the bytes of an option go: what it brings alone, what it shares with whom, and what weighs most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kimitui.config import Configuration
from kimitui.sizes import kernel
from kimitui.sizes.busybox import BusyBox
from kimitui.sizes.estimate import Estimator, busybox_model, busybox_values
from kimitui.sizes.flags import changed_flags
from kimitui.sizes.names import readable
from kimitui.sizes.walk import Walk

_PREFIX = "BUSYBOX_"
_KERNEL = "KERNEL_"
_LIBRARY = "libc.a:"
_WEIGHING = ("busybox", "kernel", "packages")


@dataclass(frozen=True)
class Part:
    """A function, a variable or texts: the object that has it, its name, its bytes, and the applets that need it, too.

    Of the kernel an object as a whole, without a name, and the options that hold it, too.
    """

    owner: str
    name: str
    size_bytes: int
    shared_with: tuple[str, ...] = ()


@dataclass(frozen=True)
class Detail:
    """What an option brings: `alone` goes when it goes, `shared` stays because of others; largest first.

    `as_compiled` says that they are bytes of objects: in `vmlinuz` they are packed, in a module there is more to them.
    """

    symbol: str
    alone: tuple[Part, ...]
    shared: tuple[Part, ...]
    as_compiled: bool = False

    @property
    def alone_bytes(self) -> int:
        """What would be saved in the program by removing it."""
        return sum(part.size_bytes for part in self.alone)


@dataclass(frozen=True)
class Contributor:
    """An option that is on, and by how much the estimated total would shrink without it."""

    symbol: str
    saved_bytes: int


def detail(config: Configuration, symbol: str) -> Detail | None:
    """What the option `symbol` brings, or would bring; None where nothing was measured of it."""
    if symbol.startswith(_KERNEL):
        return _of_kernel(config, symbol)
    model = busybox_model(config)
    if model is None or not symbol.startswith(_PREFIX) or symbol.removeprefix(_PREFIX) not in model.symbols:
        return None
    key = symbol.removeprefix(_PREFIX)
    values = busybox_values(config)
    on = {**values, key: "y"}
    off = _without(config, symbol) if values.get(key) == "y" else values
    held = model.program.held(on)
    walk = Walk(model.program)
    walk.move(on)
    with_it = walk.needed
    walk.move({name: off.get(name, "n") for name in on})
    sizes = model.sizes(changed_flags(config))
    alone = [_part(model, node, sizes) for node in with_it if sizes[node] and not walk.needs(node)]
    also, own = model.needed_by(held), model.applets_of(key)
    shared = [
        _part(model, node, sizes, tuple(name for name in also[node] if name not in own))
        for node in sorted(model.reach_of(held, [key]).intersection(with_it))
        if sizes[node] and walk.needs(node)
    ]
    return Detail(symbol, _largest(alone), _largest(shared))


def _of_kernel(config: Configuration, symbol: str) -> Detail | None:
    model = kernel.model(config.choice("IMAGE_ARCH"))
    if model is None or config.values["IMAGE_FORMAT_VMLINUZ"] != "y":
        return None
    is_on = config.values[symbol] != "n"
    changed = config.consequences(symbol) or {symbol: "n" if is_on else "y"}
    asked = {name.removeprefix(_KERNEL): value for name, value in changed.items() if name.startswith(_KERNEL)}
    requested = config.requested("kernel")
    if not model.covers(requested) or not model.covers(requested, asked):
        return None
    linked = model.linked(requested, *(({}, asked) if is_on else (asked, {})))
    alone = [Part(one.path, "", one.size_bytes) for one in linked if not one.stays]
    shared = [Part(one.path, "", one.size_bytes, one.held_by) for one in linked if one.stays]
    return Detail(symbol, _largest(alone), _largest(shared), as_compiled=True)


def contributors(estimator: Estimator, config: Configuration, count: int = 10) -> tuple[Contributor, ...]:
    """The options whose removal would save most, the largest first."""
    names = candidates(config)
    return largest(estimator.deltas(names), names, count)


def candidates(config: Configuration) -> list[str]:
    """The options that are on and could weigh something: those of BusyBox and the kernel, and packages."""
    return [
        entry.symbol
        for entry in config.names.entries.values()
        if entry.section in _WEIGHING
        and entry.type in ("bool", "tristate")
        and config.values.get(entry.symbol) != "n"
        and entry.settable
    ]


def largest(deltas: Mapping[str, int | None], names: Sequence[str], count: int = 10) -> tuple[Contributor, ...]:
    """Those of `names` whose removal would save most, the largest first; `deltas` says what a toggle changes."""
    found = [Contributor(name, -delta) for name in names if (delta := deltas.get(name)) is not None and delta < 0]
    return tuple(sorted(found, key=lambda one: (-one.saved_bytes, one.symbol))[:count])


def parts(config: Configuration) -> dict[str, int]:
    """BusyBox's bytes by the object they come from, as `coreutils/ls.o`; the C library, or what is imported, is one."""
    model = busybox_model(config)
    if model is None:
        return {}
    walk = Walk(model.program)
    walk.move(busybox_values(config))
    sizes = model.sizes(changed_flags(config))
    found: dict[str, int] = {}
    for node in walk.needed:
        if sizes[node]:
            number, _name, kind, _size = model.program.nodes[node]
            owner = model.program.objects[number]
            name = "imports" if kind == "import" else "musl" if owner.startswith(_LIBRARY) else owner or "shared texts"
            found[name] = found.get(name, 0) + sizes[node]
    return found


def _without(config: Configuration, symbol: str) -> Mapping[str, str]:
    """BusyBox's values with the option off, and whatever goes with it."""
    changed = config.consequences(symbol) or {symbol: "n"}
    values = busybox_values(config)
    values.update({name.removeprefix(_PREFIX): value for name, value in changed.items() if name.startswith(_PREFIX)})
    return values


def _part(model: BusyBox, node: int, sizes: Sequence[int], shared: tuple[str, ...] = ()) -> Part:
    owner, name, _, _ = model.program.nodes[node]
    return Part(model.program.objects[owner], readable(name), sizes[node], shared)


def _largest(found: list[Part]) -> tuple[Part, ...]:
    return tuple(sorted(found, key=lambda part: (-part.size_bytes, part.owner, part.name)))
