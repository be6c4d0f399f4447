"""Nothing is dropped silently, and nothing takes effect only on paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kimitui.build import plan as planning
from kimitui.build import step
from kimitui.build.build import Request, build
from kimitui.build.events import Cached, Event, Finished
from kimitui.build.plan import Plan, plan
from kimitui.build.store import Store
from kimitui.config import Configuration
from kimitui.errors import BuildError, PresetError
from kimitui.resources import BUILDER_DIR, cache_dir
from tests.build.conftest import Make, run_in

pytestmark = pytest.mark.build


def write(directory: Path, text: str) -> Path:
    path = directory / "asked.json5"
    path.write_text(text)
    return path


def built(preset: Path, out: Path) -> None:
    build(Request(Configuration.open(str(preset)), cache_dir(), out), emit=lambda _event: None)


def test_upstream_symbols_beyond_the_tree_reach_the_image(make_image: Make, tmp_path: Path) -> None:
    preset = write(
        tmp_path,
        '{ extends: "minimal", busybox: { FEATURE_LS_WIDTH: false, FEATURE_DATE_COMPAT: true, BBCONFIG: true } }',
    )
    said = make_image(preset).run("bbconfig").splitlines()
    assert "# CONFIG_FEATURE_LS_WIDTH is not set" in said
    assert "CONFIG_FEATURE_DATE_COMPAT=y" in said


@pytest.mark.parametrize(
    ("symbol", "message"),
    [
        ("FEATURE_DATE_COMPATT: true", "FEATURE_DATE_COMPAT"),  # the nearest name
        ("FEATURE_HTTPD_DATE: true", "HTTPD"),  # the unmet dependency
        ("FEATURE_DATE_COMPAT: 3", "FEATURE_DATE_COMPAT"),
    ],
)
def test_what_upstream_does_not_allow_is_said_before_anything_is_built(
    tmp_path: Path, symbol: str, message: str
) -> None:
    preset = write(tmp_path, f'{{ extends: "minimal", busybox: {{\n  {symbol},\n}} }}')
    with pytest.raises(PresetError) as caught:
        built(preset, tmp_path / "out")
    assert message in str(caught.value)
    assert f"{preset}:2:3" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_value_that_oldconfig_drops_stops_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is made impossible behind the checks that come first, so that the last one must find it."""

    def plan_without_httpd(config: Configuration, **arguments: object) -> Plan:
        honest: Callable[..., Plan] = plan  # the real one, under the name by which this module knows it
        monkeypatch.setattr(Configuration, "requested", lambda _self, _section: requested)
        return honest(config, **arguments)

    config = Configuration.open("minimal")
    requested = {**config.requested("busybox"), "HTTPD": "n", "FEATURE_HTTPD_DATE": "y"}
    monkeypatch.setattr(planning, "plan", plan_without_httpd)
    with pytest.raises(BuildError, match="does not keep 1 of the values") as caught:
        build(Request(config, cache_dir(), tmp_path / "out"), emit=lambda _event: None)
    (lost,) = caught.value.details
    assert lost.startswith("FEATURE_HTTPD_DATE: wanted y")
    assert "HTTPD" in lost.partition(";")[2]


OVERFLOW = """
#include <string.h>
#include <stdio.h>
int main(int argc, char **argv)
{
	char small[4];
	strcpy(small, argv[1]);
	puts(small);
	return 0;
}
"""


@pytest.mark.usefixtures("fortify_headers")
def test_fortify_stops_an_overflow(tmp_path: Path, make_image: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program with a hole, compiled as BusyBox is, is stopped by the check and not by the stack protector."""
    builder = tmp_path / "builder"
    builder.mkdir()
    for path in BUILDER_DIR.iterdir():
        if path.name != "steps":
            (builder / path.name).symlink_to(path)
    (builder / "steps").mkdir()
    for path in (BUILDER_DIR / "steps").iterdir():
        (builder / "steps" / path.name).write_bytes(path.read_bytes())
    script = builder / "steps/busybox.sh"
    hole = "cat >hole.c <<'EOF'\n" + OVERFLOW + "EOF\n./cc $CFLAGS_TARGET -O2 hole.c $LDFLAGS_TARGET -o /output/hole\n"
    script.write_text(script.read_text().replace("chmod +x cc\n", "chmod +x cc\n" + hole))
    monkeypatch.setattr(step, "BUILDER_DIR", builder)
    outcome = {}
    for level in ("none", "3"):
        preset = write(
            tmp_path,
            f'{{ extends: "minimal", hardening: {{ stack_protector: "none", fortify: "{level}" }} }}',
        )
        finished: list[Finished | Cached] = []

        def note(event: Event, into: list[Finished | Cached] = finished) -> None:
            if isinstance(event, Finished | Cached) and event.step == "busybox":
                into.append(event)

        build(Request(Configuration.open(str(preset)), cache_dir(), tmp_path / "out"), emit=note)
        entry = Store(cache_dir()).find(finished[0].key)
        assert entry is not None
        argv = ("/bin/sh", "-c", "/tmp/hole abcdefgh >/dev/null 2>&1; echo $?; /tmp/hole abc")
        outcome[level] = run_in(Path("/"), argv, binds={entry.output: "/tmp"}).split()
    # SIGILL: the trap instruction of fortify-headers. Without it, what happens is luck.
    assert outcome["3"] == ["132", "abc"]
    assert outcome["none"][0] != "132"
