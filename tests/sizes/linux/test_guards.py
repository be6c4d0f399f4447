"""Lines of a source are counted by the options they are there for."""

from __future__ import annotations

from kimitui.sizes.linux.guards import guards


def test_lines_count_under_all_that_guards_them() -> None:
    found = guards(
        """\
#include <linux/init.h>
/* a comment
 * of two lines */
int always;
#ifdef CONFIG_A
int a;
#if IS_ENABLED(CONFIG_B) && defined(CONFIG_C)
int abc;
int abc2;
#endif
#else
int not_a;
#endif
#ifndef CONFIG_D
int not_d;
#endif
#if defined(CONFIG_E) || defined(CONFIG_F)
int either;
#endif
#ifdef HAVE_SOMETHING
int something; \\
	continued;
#endif
"""
    )
    assert found == {
        frozenset(): 3,
        frozenset([("A", True)]): 1,
        frozenset([("A", True), ("B", True), ("C", True)]): 2,
        frozenset([("A", False)]): 1,
        frozenset([("D", False)]): 1,
    }


def test_what_is_left_open_does_no_harm() -> None:
    assert guards("#endif\n#else\nint x;\n#if defined(CONFIG_A\nint y;\n") == {
        frozenset(): 1,
        frozenset([("A", True)]): 1,
    }
