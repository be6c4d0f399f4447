"""Services in machines: what was switched on runs, in order, and ends in order; what fails is started again.

All of it on every init.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kimitui.build import services
from kimitui.config import Configuration
from kimitui.services.model import Service
from tests.build.conftest import kimitui
from tests.inits import INITS, Init
from tests.machine.conftest import Image

pytestmark = [pytest.mark.build, pytest.mark.slow]

# One BusyBox for all presets here, whichever services they switch on.
APPLETS = ("CHPST", "CROND", "CRONTAB", "DNSD", "FTPD", "HTTPD", "KLOGD", "LOGGER", "LOGIN", "MDEV", "NTPD", "SVLOGD",
           "SYSLOGD", "TCPSVD", "TELNETD")  # fmt: skip
POOL = ("crond", "devices", "dhcp", "dnsd", "ftpd", "httpd", "klogd", "ntpd", "syslogd", "telnetd")

Make = Callable[[str, str], tuple[Image, tuple[Service, ...]]]


@pytest.fixture(scope="module", params=INITS)
def init(request: pytest.FixtureRequest) -> Init:
    assert isinstance(request.param, Init)
    return request.param


@pytest.fixture(scope="module")
def make(init: Init, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Build a machine with these services, as a preset's section has them; those that vm has are off."""
    directory = tmp_path_factory.mktemp("services")

    def made(name: str, section: str) -> tuple[Image, tuple[Service, ...]]:
        off = ", ".join(f"{one}: false" for one in ("dhcp", "klogd", "syslogd") if f"{one}:" not in section)
        applets = ", ".join(f"{one}: true" for one in APPLETS)
        path = directory / f"{name}.json5"
        both = ", ".join(filter(None, (off, section)))
        system = f'init: {{ system: "{init.word}" }}'
        path.write_text(f'{{ extends: "vm", busybox: {{ {applets} }}, {system}, services: {{ {both} }} }}')
        printed = kimitui("build", path, "--out", directory / "out", "--json", "--progress", "plain")
        chosen = services.chosen(Configuration.open(str(path)))
        return Image(Path(json.loads(printed)["directory"])), chosen.services

    return made


def processes(text: str) -> list[str]:
    """The command lines in what `ps -o args` prints, without the kernel's own threads."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("[")]


# **Feature: kimigayo-os-core, Property 12: only what was switched on starts**
@pytest.mark.parametrize("seed", range(3))
def test_only_enabled_services_run(make: Make, init: Init, seed: int) -> None:
    drawn = random.Random(seed).sample(POOL, seed * 3)
    image, chosen = make(f"drawn{seed}", ", ".join(f"{name}: true" for name in sorted(drawn)))
    daemons = [one for one in chosen if one.kind == "daemon"]
    assert {*drawn} <= {one.name for one in chosen}
    said = image.command(f"{init.listing}; echo =====; ps -o args")
    status, _, running = said.partition("=====\n")
    assert init.states(status) == dict.fromkeys((one.name for one in chosen), "started")
    expected = [" ".join(one.command) for one in daemons]
    expected += [f"runsv {one.name}" for one in daemons] + ["runsvdir -P /run/service"] * bool(daemons)
    log = "logger -t services" if any(one.name == "syslogd" for one in chosen) else "svlogd -ttt /run/log/services"
    expected += [log] * bool(daemons) + ["init"]
    own = re.compile(r"COMMAND|ps -o args|.*/run/kimigayo/command|\{console\}.*|sh -c .*rc-status.*")
    assert sorted(line for line in processes(running) if not own.fullmatch(line)) == sorted(expected)


# **Feature: kimigayo-os-core, Property 24: start order follows dependencies**
def test_services_start_in_the_order_of_their_dependencies(make: Make) -> None:
    draw = random.Random(24)
    numbers = draw.sample(range(8), 8)  # so that the order of names is no help
    fields = []
    for place, number in enumerate(numbers):
        before = json.dumps([f"n{other}" for other in draw.sample(numbers[:place], min(place, draw.randrange(3)))])
        # That a program runs does not say that it has done something yet.
        ready = f'user: "root", ready: "grep -q n{number} /run/order"'
        kind, then = draw.choice((('kind: "oneshot"', ""), (ready, "; exec sleep 1000")))
        command = f"command: \"sh -c 'echo n{number} >>/run/order{then}'\""
        fields.append(f"n{number}: {{ {kind}, {command}, {draw.choice(('needs', 'after'))}: {before} }}")
    section = ", ".join(fields)
    image, chosen = make("ordered", section)
    order = image.command("cat /run/order").split()
    assert sorted(order) == [f"n{number}" for number in range(8)]
    for one in chosen:
        if one.name in order:
            assert all(order.index(other) < order.index(one.name) for other in one.before if other in order)


FAILING = """
    syslogd: true,
    fails: { command: "false", restart: { limit: 2, delay_seconds: 1 } },
    once: { command: "true", restart: { policy: "on-failure" } },
    never: { command: "false", restart: { policy: "never" } },
    steady: { command: "sleep 1000" },
    killed: { command: "sleep 2000", restart: { delay_seconds: 1 } },
    patient: {
      command: "sh -c 'trap \\"sleep 1; echo kept >/root/kept; exit\\" TERM; while :; do sleep 0.1; done'",
      user: "root", needs: ["steady"],
    },
    setting: { kind: "oneshot", command: "true", stop: "sh -c 'echo undone >>/root/undone'" },
    seat: { kind: "terminal", command: "sleep 3000" },
"""

WAIT = """
until_() {
    tries=0
    until eval "$1"; do
        [ $((tries += 1)) -lt 600 ] || { echo "never: $1"; rc-status; exit 9; }
        sleep 0.1
    done
}
"""


@pytest.fixture(scope="module")
def failing(make: Make) -> Image:
    return make("failing", FAILING)[0]


# **Feature: kimigayo-os-core, Property 25: a failure is logged and, where configured, retried**
def test_a_service_that_ends_is_logged_and_started_again_by_its_policy(failing: Image, init: Init) -> None:
    said = failing.command(
        WAIT
        + init.state
        + """
        read -r other </run/service/steady/supervise/pid
        until_ '[ "$(state fails)" = crashed ]'
        until_ '[ "$(state once)" = ended ]'
        until_ '[ "$(state never)" = failed ]'
        until_ '[ "$(state killed)" = started ]'
        read -r pid </run/service/killed/supervise/pid
        kill -9 "$pid"
        until_ 'read -r new </run/service/killed/supervise/pid && [ "$new" ] && [ "$new" != "$pid" ]'
        until_ '[ "$(state killed)" = started ]'
        until_ 'grep -q "rc: killed" /var/log/messages'
        read -r same </run/service/steady/supervise/pid
        [ "$same" = "$other" ] && echo untouched
        grep -o 'rc: .*' /var/log/messages
        """
        + init.listing
    )
    lines = said.splitlines()
    assert lines[0] == "untouched"
    states = init.states(said)
    assert states["steady"] == states["killed"] == "started"
    assert "started" not in (states["fails"], states["once"], states["never"])
    assert [line for line in lines if " fails " in line] == [
        "rc: fails ended with status 1; it is started again in 1 s (1 of 2)",
        "rc: fails ended with status 1; it is started again in 2 s (2 of 2)",
        "rc: fails ended with status 1, 3 times in a row; it is not started again",
    ]
    assert "rc: killed ended by signal 9; it is started again in 1 s (1 of 5)" in lines
    assert "rc: once ended with status 0" in lines
    assert "rc: never ended with status 1" in lines
    assert not [line for line in lines if " steady " in line]


# **Feature: kimigayo-os-core, Property 26: shutdown stops every service and unmounts**
def test_power_off_stops_services_and_loses_nothing(failing: Image, tmp_path: Path) -> None:
    disk = tmp_path / "data.img"
    failing.command("dd if=/dev/zero of=/root/big bs=1M count=8 2>/dev/null", "--data", disk)
    e2fsck = shutil.which("e2fsck", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert e2fsck
    subprocess.run([e2fsck, "-fn", disk], check=True, capture_output=True)
    said = failing.command("cat /root/kept /root/undone; wc -c </root/big", "--data", disk)
    assert said == f"kept\nundone\n{8 << 20}\n"


# **Feature: kimigayo-os-core, Property 27: start, stop, restart, status for every service**
def test_every_service_is_controlled_alike(failing: Image, init: Init) -> None:
    said = failing.command(
        WAIT
        + init.state
        + f"""
        for name in $({init.names}); do
            case $name in console | mounts | fails | once | never) continue ;; esac
            for verb in stop status start status restart status; do
                if [ $verb = status ]; then
                    state $name >/run/said
                else
                    rc-service $name $verb >/run/said 2>&1
                fi
                status=$? word=''
                [ $verb != status ] || read -r word </run/said
                echo "$name $verb $word $status"
            done
        done
        rc-service nosuch start; echo "= $?"
        rc-update del nosuch; echo "= $?"
        rc-service steady; echo "= $?"
        rc-service steady stop; echo "= $(state patient)"
        rc-service patient start; echo "= $(state steady)"
        rc-service steady restart; until_ '[ "$(state patient)" = started ]'
        """
    )
    found = re.findall(r"^(\w+) (\w+) (\w*) (\d)$", said, re.MULTILINE)
    assert {name for name, *_ in found} >= {"hostname", "killed", "patient", "seat", "setting", "syslogd"}
    for name, verb, word, status in found:
        if verb == "status":
            assert (word, status) in (("stopped", "3"), ("started", "0")), (name, said)
        else:
            assert (word, status) == ("", "0"), (name, verb, said)
    assert [word for _, verb, word, _ in found if verb == "status"] == ["stopped", "started", "started"] * (
        len(found) // 6
    )
    unknown, not_removed, misused, *states = re.findall(r"^= (.*)$", said, re.MULTILINE)
    assert unknown == not_removed == "1" and misused != "0"
    assert states == ["stopped", "started"]


def test_what_is_switched_off_stays_off(failing: Image, init: Init, tmp_path: Path) -> None:
    disk = tmp_path / "data.img"
    failing.command("rc-update del killed; rc-update", "--data", disk)
    said = failing.command(f"{init.state}; state killed; state steady; rc-update add killed >/dev/null", "--data", disk)
    assert said.splitlines() == [init.off, "started"]
    assert failing.command(f"{init.state}; state killed", "--data", disk) == "started\n"
