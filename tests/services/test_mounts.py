"""What a machine mounts, and what of it can be written to."""

from __future__ import annotations

from pathlib import Path

from kimitui.build import services
from kimitui.config import Configuration


def table(tmp_path: Path, text: str) -> dict[str, list[str]]:
    """The options of each mount point that a preset's /etc/fstab has."""
    path = tmp_path / "mine.json5"
    path.write_text(f'{{ extends: "machine", {text} }}')
    lines = services.chosen(Configuration.open(str(path))).files["etc/fstab"].content.decode().splitlines()
    return {words[1]: words[3].split(",") for words in map(str.split, lines)}


def test_a_level_decides_and_single_options_refine_it(tmp_path: Path) -> None:
    none, basic, full = (table(tmp_path, f'hardening: {{ level: "{level}" }}') for level in ("none", "basic", "full"))
    assert none["/tmp"] == ["nosuid", "mode=1777"] and none["/"] == ["remount", "nosuid"]
    assert basic["/tmp"] == ["nosuid", "nodev", "noexec", "mode=1777"] and basic["/"] == ["remount", "nosuid", "nodev"]
    assert full["/"] == ["remount", "ro", "nosuid", "nodev"]
    assert set(full) - set(basic) == {"/home", "/root", "/var", "/run/kimigayo/data"}
    assert set(full["/var"]) == {"bind", "nosuid", "nodev", "noexec", "x-mount.mkdir"}
    refined = table(tmp_path, 'hardening: { level: "full", noexec: false, nodev: false, no_setuid: false }')
    assert refined["/"] == ["remount", "ro"] and refined["/run"] == ["nosuid", "mode=0755"]
    assert set(refined["/var"]) == {"bind", "nosuid", "x-mount.mkdir"}
    assert table(tmp_path, "hardening: { read_only_root: true }")["/"] == full["/"]


def test_what_services_and_users_write_to_stays_writable(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        """
        hardening: { read_only_root: true },
        image: { users: "web::/srv/web, ann" },
        init: { supervision: true },
        services: {
          httpd: true, networking: true,
          app: {
            command: "sleep 1",
            directories: [{ path: "/opt/app/data" }, { path: "/var/lib/app" }, { path: "/run/app" }],
            write: ["/opt/app", "/etc/app.conf", "/dev"],
          },
        },
        """,
    )
    bound = {where for where, options in found.items() if "bind" in options}
    assert bound == {"/etc/app.conf", "/etc/resolv.conf", "/home", "/opt/app", "/root", "/srv/web", "/srv/www", "/var"}
    # A directory is made; what a service only says it writes to may be a file.
    assert {where for where in bound if "x-mount.mkdir" not in found[where]} == {
        "/etc/app.conf",
        "/etc/resolv.conf",
        "/opt/app",
    }
    assert list(found)[-1] == "/"


def test_a_container_has_the_mounts_of_its_engine(tmp_path: Path) -> None:
    path = tmp_path / "mine.json5"
    path.write_text('{ extends: "minimal", hardening: { level: "full" } }')
    config = Configuration.open(str(path))
    assert services.chosen(config).files == {}
    assert not config.is_on("HARDENING_READ_ONLY_ROOT")
