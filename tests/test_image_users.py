"""The users of an image, as `image.users` and `image.user` say them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimitui import config_texts, image_users
from kimitui.errors import UsageError
from kimitui.image_users import User, parse, run_as


def test_what_is_left_out_has_a_sensible_value() -> None:
    assert parse("app:1001, web::/srv/web:/bin/false,job") == (
        User("app", 1001, "/home/app", "/bin/sh"),
        User("web", 1000, "/srv/web", "/bin/false"),
        User("job", 1002, "/home/job", "/bin/sh"),
    )
    assert parse("") == parse("  ") == ()
    assert parse("a:33:/") == (User("a", 33, "/", "/bin/sh"),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("app,", '"" is no user'),
        ("app:1:2:3:4", "is no user"),
        ("App", '"App" is not a name for a user'),
        ("1app", "is not a name"),
        ("a" * 33, "is not a name"),
        ("äpp", "is not a name"),
        ("root:5000", 'has a user or group "root" already'),
        ("tty", 'has a user or group "tty" already'),
        ("app, app", 'the user "app" is there twice'),
        ("app:1500, web:1500", 'it is that of "app"'),
        ("app:5", 'it is that of "tty"'),
        ("app:0", 'cannot have the number "0"'),
        ("app:65534", "cannot have the number"),
        ("app:-1", "cannot have the number"),
        ("app:١٢", "cannot have the number"),
        ("app::home", '"home" is no home'),
        ("app::/srv/../etc", "is no home"),
        ("app::/srv/a b", "is no home"),
        ("app::/etc", "/etc cannot belong to"),
        ("app::/proc/1", "/proc/1 cannot belong to"),
        ("app::/tmp/app", "/tmp/app cannot belong to"),
        ("app::/srv/x, web::/srv/x/y", 'the home of "web" is in that of "app"'),
        ("app::/srv/x, web::/srv/x", "the home of"),
        ("app:::sh", '"sh" is no shell'),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        parse(text)
    with pytest.raises(UsageError):
        config_texts.check("IMAGE_USERS", text)


name = st.from_regex(r"[a-z_][a-z0-9_-]{0,31}", fullmatch=True)


@given(st.dictionaries(name, st.none() | st.integers(1, 65533), max_size=8))
def test_no_two_users_share_anything(wanted: dict[str, int | None]) -> None:
    try:
        users = parse(", ".join(name if uid is None else f"{name}:{uid}" for name, uid in wanted.items()))
    except UsageError:
        return
    assert [user.name for user in users] == list(wanted)
    assert len({user.uid for user in users}) == len({user.home for user in users}) == len(users)
    assert all(user.uid == wanted[user.name] or (wanted[user.name] is None and user.uid >= 1000) for user in users)
    for text, fields in ((image_users.passwd, 7), (image_users.group, 4), (image_users.shadow, 9)):
        assert [len(line.split(":")) for line in text(users).splitlines()] == [fields] * len(users)
    assert all(line.split(":")[1] == "!" for line in image_users.shadow(users).splitlines())


def test_a_container_is_told_a_number() -> None:
    users = parse("app:1001")
    assert run_as("app", users) == "1001:1001"
    assert run_as("nobody", users) == "65534:65534"
    assert run_as("4711", users) == "4711:4711"
    assert run_as("root", users) is None
    assert run_as("0", users) is None
    with pytest.raises(UsageError, match='no user "web"') as caught:
        run_as("web", users)
    assert "app" in str(caught.value.fix)


@pytest.mark.parametrize(
    ("symbol", "good", "bad"),
    [
        ("IMAGE_USER", ["root", "app", "0", "1000"], ["", "App", "1000:1000", "-1", "99999"]),
        ("IMAGE_ENV", ["", "A=1 B='x y' C="], ["A", "1A=2", "A=1 A=2", "A='"]),
        ("IMAGE_LABELS", ["", "org.example.team=core a=b=c"], ["x", "=x", ".a=b"]),
        ("IMAGE_PORTS", ["", "80 443/tcp 53/udp"], ["0", "65536", "80/icmp", "http", "80,81"]),
        ("IMAGE_WORKDIR", ["/", "/srv/app"], ["", "srv", "/srv/../etc"]),
        ("BUSYBOX_FEATURE_DEFAULT_PASSWD_ALGO", ["sha512", "yescrypt"], ["", "bcrypt"]),
    ],
)
def test_texts_that_must_say_something(symbol: str, good: list[str], bad: list[str]) -> None:
    for text in good:
        config_texts.check(symbol, text)
    for text in bad:
        with pytest.raises(UsageError):
            config_texts.check(symbol, text)


def test_ports_are_tcp_unless_said_otherwise() -> None:
    assert config_texts.ports("80 53/udp 80/tcp") == ("80/tcp", "53/udp")
