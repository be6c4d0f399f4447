from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kimitui.build.store import Store, disk_usage, remove_tree
from kimitui.errors import BuildError, MachineError

KEY = "ab" + "0" * 62


def commit(store: Store, session: Path, key: str = KEY, content: str = "x") -> None:
    workspace = session / f"step-{key[:4]}"
    (workspace / "output").mkdir(parents=True)
    (workspace / "output/file").write_text(content)
    (workspace / "log").write_text("a line\n")
    store.commit(key, workspace, description={"name": "musl", "arch": "x86_64", "seconds": 1.5})


def test_an_entry_is_found_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.find(KEY) is None
    with store.session() as session:
        commit(store, session)
    entry = Store(tmp_path).find(KEY)
    assert entry is not None
    assert (entry.output / "file").read_text() == "x"
    assert entry.log.read_text() == "a line\n"
    assert store.durations("x86_64") == {"musl": 1.5}
    assert store.durations("arm64") == {}


def test_a_second_commit_of_a_key_keeps_the_first(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.session() as session:
        commit(store, session)
        commit(store, session)
    assert store.find(KEY) is not None
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_session_leaves_nothing_even_after_an_error(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(RuntimeError), store.session() as session:
        (session / "half").write_text("half")
        raise RuntimeError
    assert list((tmp_path / "tmp").iterdir()) == []


def test_what_a_killed_build_left_is_swept(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from kimitui.build.store import Store\n"
        f"with Store(Path({str(tmp_path)!r})).session() as session:\n"
        "    (session / 'half').write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    assert len(list((tmp_path / "tmp").glob("build-*"))) == 2
    with Store(tmp_path).session() as session:
        assert list((tmp_path / "tmp").glob("build-*/")) == [session]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_prune_removes_what_was_not_used(tmp_path: Path) -> None:
    store = Store(tmp_path)
    old, new = KEY, "cd" + "0" * 62
    with store.session() as session:
        commit(store, session, old)
        commit(store, session, new)
    past = time.time() - 40 * 86_400
    for key in (old, new):
        os.utime(tmp_path / "store" / key[:2] / key, (past, past))
    assert store.find(new) is not None  # which is a use
    pruned = store.prune(unused_days=30)
    assert pruned.removed == {"store": 1}
    assert pruned.freed_bytes > 0
    assert store.find(old) is None
    assert store.find(new) is not None


def test_prune_of_everything_keeps_the_sources(tmp_path: Path) -> None:
    store = Store(tmp_path)
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources/archive").write_text("x")
    with store.session() as session:
        commit(store, session)
    store.prune(unused_days=0, everything=True, keep=frozenset({"sources"}))
    assert (tmp_path / "sources/archive").exists()
    assert Store(tmp_path).find(KEY) is None


def test_prune_refuses_while_a_build_runs(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.session(), pytest.raises(BuildError, match="1 build is running"):
        Store(tmp_path).prune(unused_days=0)


def test_a_cache_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="cannot be made") as caught:
        Store(tmp_path / "file" / "cache")
    assert "--cache-dir" in str(caught.value)


def test_removing_a_tree_with_hostile_modes(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "a/b").mkdir(parents=True)
    (tree / "a/b/file").write_text("x")
    (tree / "link").symlink_to(tmp_path)
    (tree / "a/b").chmod(0)
    (tree / "a").chmod(0)
    remove_tree(tree)
    assert not tree.exists()
    assert tmp_path.exists()
    remove_tree(tree)


def test_disk_usage_counts_hard_links_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100_000)
    once = disk_usage(tmp_path)
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    assert disk_usage(tmp_path) == once >= 100_000
