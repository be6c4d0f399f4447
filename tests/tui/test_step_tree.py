from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kimitui.tui.step_tree import step_tree, used_by

STEPS = {
    "headers": (),
    "musl": ("headers",),
    "tree": (),
    "config": ("tree",),
    "busybox": ("tree", "config", "headers", "musl"),
    "rootfs": ("busybox",),
    "layer": ("rootfs",),
}


def test_a_step_hangs_below_what_takes_longest_to_reach() -> None:
    shown = [f"{step.lines}{step.name}{' + ' * bool(step.also)}{','.join(step.also)}" for step in step_tree(STEPS)]
    assert shown == [
        "headers",
        "└ musl",
        "  └ busybox + tree,config,headers",
        "    └ rootfs",
        "      └ layer",
        "tree",
        "└ config",
    ]
    assert used_by(STEPS, "headers") == ("musl", "busybox")


def test_siblings_are_joined() -> None:
    steps = {"a": (), "b": ("a",), "c": ("a",), "d": ("b",)}
    assert [f"{step.lines}{step.name}" for step in step_tree(steps)] == ["a", "├ b", "│ └ d", "└ c"]


@given(st.data())
def test_every_step_and_every_edge_is_there_once(data: st.DataObject) -> None:
    steps: dict[str, tuple[str, ...]] = {}
    for number in range(data.draw(st.integers(0, 12))):
        uses = data.draw(st.lists(st.sampled_from(sorted(steps)), unique=True)) if steps else []
        steps[f"s{number}"] = tuple(uses)
    tree = step_tree(steps)
    assert sorted(step.name for step in tree) == sorted(steps)
    for step in tree:
        hangs = bool(step.lines)
        assert len(step.also) + hangs == len(steps[step.name])
        assert set(step.also) <= set(steps[step.name])
