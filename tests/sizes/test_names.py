"""What is said of functions, variables and texts that compilers have named."""

from __future__ import annotations

import pytest

from kimitui.sizes.names import readable, whole


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("evalcommand", "evalcommand"),
        ("pushredir.isra.0", "pushredir"),
        ("getjob.part.0.constprop.0", "getjob"),
        ("builtins.2", "builtins"),
        ("getjob.str1.1", "texts of getjob"),
        ("cpio_o.isra.0.str1.8#1", "texts of cpio_o"),
        ("str1.1", "texts"),
        (".rodata", "rodata"),
        ("", "texts"),
    ],
)
def test_as_its_source_has_it(name: str, said: str) -> None:
    assert readable(name) == said


def test_parts_of_a_function_are_of_the_same_one() -> None:
    assert whole("getjob.part.0") == whole("getjob.cold") == "getjob"
