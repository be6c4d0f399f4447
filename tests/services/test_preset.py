"""Services in a preset: kimitui's own are switched on, others are defined, and both survive being saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kimitui.build import services
from kimitui.cli import main
from kimitui.config import Configuration
from kimitui.errors import Location, PresetError
from kimitui.services.model import Restart, Service

INIT = 'extends: "minimal", init: { system: "busybox" }'
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str, name: str = "mine") -> Path:
        path = tmp_path / f"{name}.json5"
        path.write_text(f"{{ {text} }}\n")
        return path

    return write


def of(path: Path) -> Configuration:
    return Configuration.open(str(path))


def started(config: Configuration) -> dict[str, Service]:
    return {one.name: one for one in services.chosen(config).services}


def refused(path: Path) -> PresetError:
    with pytest.raises(PresetError) as caught:
        services.chosen(of(path))
    # The same from the command line, before anything is built.
    assert main(["check", str(path)]) == 2
    return caught.value


def test_a_service_of_ones_own(write: Write) -> None:
    path = write(
        f"""{INIT}, services: {{
          networking: true,
          mysvc: {{ command: "sleep '1 d'", after: ["networking"], restart: {{ policy: "on-failure", limit: 2 }},
                    directories: [{{ path: "/var/lib/mysvc", mode: "0750" }}], environment: {{ N: 3 }} }},
        }}"""
    )
    chosen = services.chosen(of(path))
    mine = {one.name: one for one in chosen.services}["mysvc"]
    assert mine.command == ("sleep", "1 d")
    assert (mine.kind, mine.user, mine.environment) == ("daemon", "mysvc", {"N": "3"})
    assert mine.restart == Restart("on-failure", 2, 1)
    assert [one.name for one in chosen.services] == ["mounts", "networking", "mysvc"]
    run = chosen.files["etc/rc/services/mysvc/run"].content.decode()
    assert "exec chpst -u mysvc sleep '1 d'\n" in run
    assert [(user.name, user.home, user.shell) for user in chosen.users] == [("mysvc", "/", "/bin/false")]
    assert 300 <= chosen.users[0].uid < 900


def test_numbers_of_users_stay_when_other_services_come(write: Write) -> None:
    one = services.chosen(of(write(f'{INIT}, services: {{ b: {{ command: "sleep 1" }} }}'))).users
    more = ", ".join(f'{name}: {{ command: "sleep 1" }}' for name in "acdefg")
    both = services.chosen(of(write(f'{INIT}, services: {{ b: {{ command: "sleep 1" }}, {more} }}'))).users
    assert set(one) < set(both)
    assert len({user.uid for user in both}) == len(both)


def test_fields_are_laid_over_those_of_the_extended_preset(write: Write) -> None:
    write(
        f'{INIT}, services: {{ app: {{ command: "sleep 1", ports: ["tcp/80"] }}, gone: {{ command: "sleep 2" }} }}',
        "base",
    )
    child = of(write('extends: "./base.json5", services: { app: { command: "sleep 3" }, gone: false }'))
    assert set(started(child)) == {"app"}
    assert started(child)["app"].command == ("sleep", "3")
    assert started(child)["app"].ports == ("tcp/80",)
    assert child.own_values() == {"services": {"app": {"command": "sleep 3"}, "gone": False}}
    differences = {one.key: one.describe() for one in of(child.path.parent / "base.json5").diff(child)}
    assert differences["app"] == 'services.app: command "sleep 1" → "sleep 3"'
    assert differences["gone"] == 'services.gone: { command: "sleep 2" } → off'


def test_saving_keeps_services_with_their_comments(write: Write, tmp_path: Path) -> None:
    text = """{
  extends: "minimal",
  init: { system: "busybox" },
  services: {
    // what it is all for
    app: {
      command: "sleep 1", // a while
      needs: ["networking"],
    },
    networking: true,
  },
}
"""
    path = tmp_path / "mine.json5"
    path.write_text(text)
    config = of(path)
    assert not config.modified
    config.set("SERVICE_SYSLOGD", True)
    config.save()
    assert path.read_text() == text.replace("    networking: true,\n", "    networking: true,\n    syslogd: true,\n")
    assert of(path).own_values() == config.own_values()


def test_a_service_is_written_readably(tmp_path: Path) -> None:
    (tmp_path / "mine.json5").write_text('{\n  extends: "minimal",\n  init: { system: "busybox" },\n}\n')
    config = of(tmp_path / "mine.json5")
    value = {"command": "sleep " + "9" * 60, "environment": {"LONG": "x" * 40}, "after": ["mounts"]}
    config.set_upstream("services", "my-app", value)
    config.save()
    assert of(config.path).further["services"] == {"my-app": value}
    assert started(of(config.path))["my-app"].environment == {"LONG": "x" * 40}
    assert max(map(len, config.path.read_text().splitlines())) <= 110
    config.undo()
    assert config.further["services"] == {}


@pytest.mark.parametrize(
    ("fields", "column", "says"),
    [
        ("{ comand: 'x' }", 3, 'there is no such field\n  at {}\n  did you mean "command"?'),
        ("{ command: 3 }", 3, "services.app.command must be text"),
        ('{ command: "a \'b" }', 3, "no closing quotation"),
        ("{ }", 1, "services.app has no command"),
        ("{ command: 'x', kind: 'demon' }", 17, "must be one of daemon, oneshot, terminal"),
        ("{ command: 'x', needs: ['B'] }", 25, '"B" is not a service'),
        ("{ command: 'x', restart: { limit: -1 } }", 28, "a whole number from 0 to 1000"),
        ("{ command: 'x', directories: [{ mode: '0755' }] }", 31, "a directory needs a path"),
        ("{ command: 'x', directories: [{ path: '/a', mode: '9' }] }", 45, 'a mode such as "0750"'),
        ("{ command: 'x', ports: ['tcp/80', 'tcp/70000'] }", 35, "they are from 1 to 65535"),
        ("{ command: 'x', namespaces: ['user'] }", 30, "there are mount, pid, ipc, uts, net"),
        ("{ command: 'x', after: ['a', 'a'] }", 30, "there twice"),
        ("{ command: 'x', a: 1, a: 2 }", 23, "there twice"),
        ("[]", 1, "services.app cannot be a list"),
        ("true", 1, 'there is no service "app"'),
    ],
)
def test_a_field_that_cannot_be_names_its_place(write: Write, fields: str, column: int, says: str) -> None:
    before = f"{{ {INIT}, services: {{ app: "
    path = write(f"{INIT}, services: {{ app: {fields} }}")
    error = refused(path)
    assert isinstance(error.where, Location) and error.where.line == 1
    wanted = len(before) + column if column > 1 else len(before) - len("app: ") + 1
    assert error.where.column == wanted, str(error)
    assert says.format(error.where) in str(error)


def test_an_unknown_service_names_the_nearest(write: Write) -> None:
    error = refused(write(f"{INIT}, services: {{ ntdp: true }}"))
    assert error.what == 'there is no service "ntdp"'
    assert error.fix == 'did you mean "ntpd"?'
    error = refused(write(f'{INIT}, services: {{ app: {{ command: "sleep 1", after: ["ntdp"] }} }}'))
    assert 'there is no service "ntdp"' in error.what
    assert error.fix == 'did you mean "ntpd"?'


def test_a_service_of_kimituis_own_is_not_defined_anew(write: Write) -> None:
    assert (
        "must be true or false, not an object"
        in refused(write(f"{INIT}, services: {{ httpd: {{ command: 'x' }} }}")).what
    )


def test_a_dependency_that_is_off_says_which_option_turns_it_on(write: Write) -> None:
    error = refused(write(f'{INIT}, services: {{ app: {{ command: "sleep 1", needs: ["ntpd"] }} }}'))
    assert "app needs ntpd, which is off" in error.what
    assert error.fix == "services: { ntpd: true } switches it on"
    assert isinstance(error.where, Location) and error.where.column > 80
    error = refused(write(f'{INIT}, services: {{ app: {{ command: "sleep 1", busybox: ["LOGGER"] }} }}'))
    assert error.fix == "busybox: { LOGGER: true } switches it on"
    off = 'extends: "minimal", init: { system: "busybox", supervision: false }'
    error = refused(write(f'{off}, services: {{ app: {{ command: "sleep 1" }} }}'))
    assert "init: { supervision: true }" in (error.fix or "")
    error = refused(write('extends: "minimal", services: { app: { command: "sleep 1" } }'))
    assert 'init: { system: "busybox" }' in (error.fix or "")


def test_a_cycle_is_named(write: Write) -> None:
    error = refused(
        write(
            f"{INIT}, services: {{ b: {{ command: 'sleep 1', after: ['a'] }},"
            " c: { command: 'sleep 1', needs: ['b'] }, a: { command: 'sleep 1', after: ['c'] } }"
        )
    )
    assert "in a circle: a → c → b → a" in error.what


def test_a_user_without_an_entry(write: Write) -> None:
    error = refused(write(f'{INIT}, services: {{ app: {{ command: "sleep 1", user: "web" }} }}'))
    assert 'the image has no user "web"' in error.what
    assert "image.users" in (error.fix or "")
    fine = write(f'{INIT}, image: {{ users: "web" }}, services: {{ app: {{ command: "sleep 1", user: "web" }} }}')
    assert services.chosen(of(fine)).users == ()


def test_two_services_that_want_one_port(write: Write) -> None:
    error = refused(write(f'{INIT}, services: {{ httpd: true, app: {{ command: "sleep 1", ports: ["tcp/80"] }} }}'))
    assert error.what == "services.app: app and httpd both want port tcp/80"
    other = '{ httpd: true, httpd_port: 81, app: { command: "sleep 1", ports: ["tcp/80"] } }'
    assert set(started(of(write(f"{INIT}, services: {other}")))) == {"httpd", "app"}


def test_a_command_that_is_not_in_the_image(write: Write, tmp_path: Path) -> None:
    bring, switch = "bring it with image.files", "busybox: { TELNET: true } switches it on"
    for command, fix in (("nosuch", bring), ("/usr/bin/nosuch", bring), ("telnet host", switch), ("/opt/sleep", bring)):
        error = refused(write(f'{INIT}, services: {{ app: {{ command: "{command}" }} }}'))
        assert f"no program {command.split()[0]}" in error.what
        assert error.fix == fix
    (tmp_path / "files/opt").mkdir(parents=True)
    (tmp_path / "files/opt/app").write_text("#!/bin/sh\n")
    for command in ("/opt/app", "sleep 1", "/bin/sleep 1", "/bin/sh -c true", "[ a ]"):
        write(f'{INIT}, image: {{ files: "files" }}, services: {{ app: {{ command: "{command}" }} }}')
        assert "app" in started(of(tmp_path / "mine.json5"))


def test_a_command_of_a_package(write: Write) -> None:
    # All that a package brings is known, where it is, and only if it is on.
    for command in ("dbclient host", "/usr/bin/dropbearkey -t ed25519", "/usr/sbin/dropbear -F"):
        text = f'{INIT}, packages: {{ dropbear: true }}, services: {{ app: {{ command: "{command}" }} }}'
        assert "app" in started(of(write(text)))
        error = refused(write(text.replace("true", "false", 1)))
        assert "no program" in error.what and error.fix == "packages: { dropbear: true } switches it on"
    wrong = write(f'{INIT}, packages: {{ dropbear: true }}, services: {{ app: {{ command: "/bin/dropbear" }} }}')
    assert "no program /bin/dropbear" in refused(wrong).what


def test_what_is_off_leaves_nothing_behind() -> None:
    chosen = services.chosen(Configuration.open("minimal"))
    assert (chosen.services, chosen.users, chosen.files) == ((), (), {})
