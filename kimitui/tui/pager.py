"""A file in the user's pager, while the screen is theirs."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported


def page(app: App[Any], path: Path) -> str:
    """Show `path` in $PAGER, else in less or more, until it is left; why that is not possible, "" if it was."""
    argv = pager()
    if argv is None:
        return f"There is no pager: set PAGER. The log is {path}"
    if not path.exists():
        return f"There is no {path} any more"
    try:
        with app.suspend():
            subprocess.run([*argv, str(path)], check=False)
    except SuspendNotSupported:
        return f"This terminal cannot be lent to a pager. The log is {path}"
    except OSError as error:
        return f"{argv[0]} cannot be started: {error.strerror}. The log is {path}"
    return ""


def pager() -> list[str] | None:
    """The command of the user's pager, None if there is none."""
    if wanted := shlex.split(os.environ.get("PAGER", "")):
        return wanted
    return next(([name] for name in ("less", "more") if shutil.which(name)), None)
