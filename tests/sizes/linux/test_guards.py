"""Lines of a source are counted by the options they are there for."""

from __future__ import annotations

from pathlib import Path

from kimitui.sizes.linux.guards import code_of, defines_tracepoints, guards


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
        frozenset(): 2,
        frozenset([("E", True)]): 1,
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


def test_code_in_other_files_of_the_directory_belongs_to_a_source(tmp_path: Path) -> None:
    functions = "".join(f"static void f{number}(void)\n{{\n}}\n" for number in range(3))
    (tmp_path / "tasks.h").write_text(f"#ifdef CONFIG_TASKS\n{functions}#endif\n")
    (tmp_path / "rt.c").write_text("int rt;\n")
    (tmp_path / "plain.h").write_text("int declared(void);\n" + "static inline int\nshort(void)\n{\n}\n" * 4)
    (tmp_path / "all.c").write_text(
        '#include <linux/init.h>\n#include "plain.h"\n#include "tasks.h"\n'
        '#ifdef CONFIG_RT\n# include "rt.c"\n#endif\n#include "made.h"\n'
    )
    assert guards(code_of(tmp_path / "all.c")) == {
        frozenset([("TASKS", True)]): 9,
        frozenset([("RT", True)]): 1,
    }


def test_objects_that_define_tracepoints_are_known(tmp_path: Path) -> None:
    (tmp_path / "traced.c").write_text("#define CREATE_TRACE_POINTS\n#include <trace/events/x.h>\n")
    (tmp_path / "plain.c").write_text("#include <trace/events/x.h>\n")
    assert defines_tracepoints(tmp_path, "traced.o")
    assert not defines_tracepoints(tmp_path, "plain.o")
    assert not defines_tracepoints(tmp_path, "made.o")
