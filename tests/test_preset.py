from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

import json5.loader
import pyjson5
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kimitui import json5_text, preset, resources
from kimitui.config_types import Values as Sections
from kimitui.errors import Location, MachineError, PresetError
from kimitui.kconfig.names import JsonValue

PATH = Path("/nowhere/some.json5")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory, and built-in presets of our own: tiny and small, which extends it."""
    builtin = tmp_path / "builtin"
    builtin.mkdir()
    (builtin / "tiny.json5").write_text('{ busybox: { PING: true }, image: { budget: "1MB" } }\n')
    (builtin / "small.json5").write_text('{ extends: "tiny", busybox: { CAT: true } }\n')
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setattr(resources, "PRESETS_DIR", builtin)
    monkeypatch.chdir(work)
    return work


def wrong(text: str, path: Path = PATH) -> PresetError:
    with pytest.raises(PresetError) as caught:
        preset.parse(text, path)
    assert caught.value.exit_code == 2
    return caught.value


# Reading


def test_a_preset_is_read() -> None:
    text = """// edge
    {
      name: "edge",
      extends: 'standard', // a name
      "image": { formats: ["oci", "squashfs"], budget: "12MB" },
      busybox: { TELNETD: false, FEATURE_X: 0x10, Y: "m", },
    }"""
    read = preset.parse(text, PATH)
    assert (read.name, read.extends, read.description, read.path) == ("edge", "standard", "", PATH)
    assert read.sections == {
        "image": {"formats": ["oci", "squashfs"], "budget": "12MB"},
        "busybox": {"TELNETD": False, "FEATURE_X": 16, "Y": "m"},
    }
    assert read.locate("busybox", "FEATURE_X") == Location(PATH, 6, 34)
    assert read.locate("image") == Location(PATH, 5, 7)
    assert read.locate("extends") == Location(PATH, 4, 7)
    assert read.locate("busybox", "MISSING") == Location(PATH)


def test_the_name_is_the_files_unless_it_says_otherwise() -> None:
    assert preset.parse("{}", Path("a/my-preset.json5")).name == "my-preset"
    assert preset.parse('{name: "other"}', Path("a/my-preset.json5")).name == "other"


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("", 1, 1, "there is no value"),
        ("\ufeff // only a comment\n", 1, 1, "there is no value"),
        ("{\n  busybox: {\n    PING true\n  }\n}", 3, 10, 'expected colon, found "t"'),
        ("{ image: ", 1, 1, "unclosed object"),
        ('{\n image: { budget: "5MB }\n}', 2, 19, "unclosed string"),
        ("{} {}", 1, 4, 'extra data "{"'),
        ("{ /* never ends", 1, 3, "unclosed comment"),
        ("{a:1,,}", 1, 6, "stray comma"),
        ("{é: 1, // ü\n x: }", 2, 5, "expected JSON5Value"),
    ],
)
def test_what_is_not_json5_names_the_place(text: str, line: int, column: int, says: str) -> None:
    error = wrong(text)
    assert error.where == Location(PATH, line, column)
    assert says in str(error)
    assert "b'" not in str(error) and "U+" not in str(error)


@pytest.mark.parametrize(("text", "kind"), [("[]", "a list"), ('"x"', "text"), ("3", "a number"), ("null", "null")])
def test_a_preset_must_be_an_object(text: str, kind: str) -> None:
    assert kind in str(wrong(text))


def test_an_unknown_section_names_the_nearest() -> None:
    error = wrong("{\n  bussybox: {} }")
    assert error.where == Location(PATH, 2, 3)
    assert 'did you mean "busybox"?' in str(error)
    assert "image, kernel, busybox" in str(wrong("{ zzz: {} }"))


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("{ busybox: [] }", (1, 12), "must be an object, not a list"),
        ("{ name: 3 }", (1, 9), "must be text in quotes, not a number"),
        ("{ extends: null }", (1, 12), "must be text in quotes, not null"),
        ('{ description: "a\\nb" }', (1, 16), "one line of printable text"),
        ("{ busybox: { A: null } }", (1, 17), "busybox.A cannot be null"),
        ("{ busybox: { A: 1.5 } }", (1, 17), "a number with a fraction"),
        ("{ busybox: { A: NaN } }", (1, 17), "a number with a fraction"),
        ("{ busybox: { A: {} } }", (1, 17), "cannot be an object"),
        ("{ image: { formats: [1] } }", (1, 21), "must be a list of texts"),
        ('{ image: { hostname: "\\u0007" } }', (1, 22), "printable"),
        ('{ busybox: { "A\\u0000": true } }', (1, 14), "characters that cannot be shown"),
    ],
)
def test_a_value_of_the_wrong_kind_names_its_place(text: str, where: tuple[int, int], says: str) -> None:
    error = wrong(text)
    assert error.where == Location(PATH, *where)
    assert says in str(error)


@pytest.mark.parametrize("name", ["a/b", "../x", "/etc/passwd", "", ".hidden", "Upper", "a b", "a\\\\b", "-x"])
def test_a_name_is_a_plain_word(name: str) -> None:
    error = wrong(f'{{\n  name: "{name}" }}')
    assert error.where == Location(PATH, 2, 9)
    assert "is not a name for a preset" in str(error)


def test_a_key_that_is_there_twice_names_both() -> None:
    error = wrong("{ busybox: {\n  PING: true,\n  'P\\u0049NG': false } }")
    assert error.where == Location(PATH, 3, 3)
    assert "line 2" in str(error)
    assert wrong("{ image: {}, busybox: {},\n image: {} }").where == Location(PATH, 2, 2)


def test_equal_keys_in_two_sections_are_fine() -> None:
    assert preset.parse("{ image: { a: 1 }, init: { a: 1 } }", PATH).sections["init"] == {"a": 1}


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "{ image: { a: " + "[" * 500 + "]" * 500 + "} }"])
def test_deep_nesting_is_an_error_like_any_other(text: str) -> None:
    assert "nesting" in str(wrong(text))


def test_a_file_that_is_not_utf_8_names_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.json5"
    path.write_bytes(b'{\n  // fine: \xc3\xbc\n  name: "\xff" }')
    with pytest.raises(PresetError) as caught:
        preset.read(path)
    assert caught.value.where == Location(path, 3, 10)
    assert "0xff" in str(caught.value)


def test_a_directory_is_no_preset(tmp_path: Path) -> None:
    (tmp_path / "a.json5").mkdir()
    with pytest.raises(PresetError, match="directory"):
        preset.read(tmp_path / "a.json5")


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    loop = tmp_path / "a.json5"
    loop.symlink_to(loop)
    with pytest.raises(PresetError, match="cannot read the preset: Too many levels"):
        preset.read(loop)
    if os.geteuid():
        (tmp_path / "b.json5").write_text("{}")
        (tmp_path / "b.json5").chmod(0)
        with pytest.raises(PresetError, match="Permission denied"):
            preset.read(tmp_path / "b.json5")


def test_a_file_that_never_ends_is_not_read_whole() -> None:
    with pytest.raises(PresetError, match="too large"):
        preset.read(Path("/dev/zero"))


# Finding and extending


def test_a_name_is_looked_for_here_and_among_the_built_in_ones(here: Path) -> None:
    assert preset.find("tiny") == resources.PRESETS_DIR / "tiny.json5"
    (here / "presets").mkdir()
    (here / "presets" / "tiny.json5").write_text("{}")
    assert preset.find("tiny") == Path("presets/tiny.json5")


def test_a_path_is_a_path(here: Path) -> None:
    (here / "tiny.json5").write_text("{}")
    assert preset.find("./tiny.json5") == Path("tiny.json5")
    assert preset.find("tiny.json5") == Path("tiny.json5")
    with pytest.raises(PresetError, match="there is no preset presets/tiny"):
        preset.find("presets/tiny")


def test_a_missing_preset_names_the_places_and_the_nearest(here: Path) -> None:
    with pytest.raises(PresetError) as caught:
        preset.find("tinny")
    text = str(caught.value)
    assert "presets/tinny.json5" in text
    assert str(resources.PRESETS_DIR / "tinny.json5") in text
    assert 'did you mean "tiny"?' in text
    with pytest.raises(PresetError, match=r'did you mean "tiny"\?'):
        preset.find("./tinny.json5")


@pytest.mark.parametrize("reference", ["", "Tiny", "ti ny", "..", "a\0b", "~root", "*"])
def test_what_is_neither_name_nor_path_is_refused(here: Path, reference: str) -> None:
    with pytest.raises(PresetError):
        preset.find(reference)


def test_presets_extend_by_name_beside_them_first(here: Path) -> None:
    (here / "deep").mkdir()
    (here / "deep" / "tiny.json5").write_text("{ busybox: { LS: true } }")
    top = here / "deep" / "top.json5"
    top.write_text('{ extends: "tiny" }')
    assert [link.path for link in preset.chain(preset.read(top))] == [here / "deep" / "tiny.json5", top]
    top.write_text('{ extends: "small" }')
    assert [link.name for link in preset.chain(preset.read(top))] == ["tiny", "small", "top"]


def test_presets_extend_by_path_relative_to_themselves(here: Path) -> None:
    (here / "a").mkdir()
    (here / "base.json5").write_text("{}")
    (here / "a" / "top.json5").write_text('{ extends: "../base.json5" }')
    assert [link.name for link in preset.chain(preset.read(Path("a/top.json5")))] == ["base", "top"]


def test_a_preset_may_extend_the_built_in_one_of_its_name(here: Path) -> None:
    (here / "presets").mkdir()
    (here / "presets" / "tiny.json5").write_text('{ extends: "tiny" }')
    chain = preset.chain(preset.read(preset.find("tiny")))
    assert [link.path for link in chain] == [resources.PRESETS_DIR / "tiny.json5", Path("presets/tiny.json5")]


def test_any_depth(here: Path) -> None:
    for number in range(3000):
        extends = f'extends: "p{number - 1}"' if number else ""
        (here / f"p{number}.json5").write_text(f"{{ {extends} }}")
    assert len(preset.chain(preset.read(Path("p2999.json5")))) == 3000


def test_a_circle_is_named(here: Path) -> None:
    for name, extends in {"a": "b", "b": "c", "c": "./b.json5"}.items():
        (here / f"{name}.json5").write_text(f'{{\n  extends: "{extends}" }}')
    with pytest.raises(PresetError) as caught:
        preset.chain(preset.read(Path("a.json5")))
    assert "b → c → b" in str(caught.value)
    assert caught.value.where == Location(Path("c.json5"), 2, 3)


@pytest.mark.parametrize("extends", ["a", "./a.json5", "link.json5"])
def test_a_preset_that_extends_itself_is_a_circle(here: Path, extends: str) -> None:
    (here / "a.json5").write_text(f'{{ extends: "{extends}" }}')
    (here / "link.json5").symlink_to("a.json5")
    with pytest.raises(PresetError, match=r"itself|circle"):
        preset.chain(preset.read(Path("a.json5")))


def test_a_missing_base_names_the_line_that_asks_for_it(here: Path) -> None:
    (here / "a.json5").write_text('{\n  name: "a",\n  extends: "tinny" }')
    with pytest.raises(PresetError) as caught:
        preset.chain(preset.read(Path("a.json5")))
    assert caught.value.where == Location(Path("a.json5"), 3, 3)
    assert str(Path("tinny.json5")) in str(caught.value)


def test_an_error_in_a_base_is_one_in_that_file(here: Path) -> None:
    (here / "base.json5").write_text("{ what: {} }")
    (here / "a.json5").write_text('{ extends: "base" }')
    with pytest.raises(PresetError) as caught:
        preset.chain(preset.read(Path("a.json5")))
    assert caught.value.where == Location(Path("base.json5"), 1, 3)


def test_presets_are_listed_by_name(here: Path) -> None:
    assert [path.name for path in preset.list_presets()] == ["small.json5", "tiny.json5"]
    (here / "presets").mkdir()
    (here / "presets" / "alpha.json5").write_text("{}")
    (here / "presets" / "tiny.json5").write_text("{}")
    (here / "presets" / "Not one.json5").write_text("{}")
    (here / "presets" / "README.md").write_text("")
    assert preset.list_presets() == [
        Path("presets/alpha.json5"),
        resources.PRESETS_DIR / "small.json5",
        Path("presets/tiny.json5"),
    ]


# Saving


def edited(text: str, sections: Sections, **top: str | None) -> str:
    return preset.edited_text(preset.parse(text, PATH), sections, top)


def test_a_new_preset_is_sorted_and_reads_like_a_decision() -> None:
    text = preset.new_text(
        {"extends": "standard", "name": "edge", "description": ""},
        {
            "services": {"ntpd": True},
            "busybox": {"TELNETD": False, "FEATURE_LS_COLOR": False},
            "image": {"formats": ["oci", "squashfs"], "budget": "12MB"},
            "kernel": {},
        },
    )
    assert text == (
        "{\n"
        '  name: "edge",\n'
        '  extends: "standard",\n'
        '  image: { budget: "12MB", formats: ["oci", "squashfs"] },\n'
        "  busybox: { FEATURE_LS_COLOR: false, TELNETD: false },\n"
        "  services: { ntpd: true },\n"
        "}\n"
    )


def test_a_wide_section_has_a_line_per_key() -> None:
    text = preset.new_text({}, {"busybox": {f"APPLET_{number:02}": True for number in range(12)}})
    assert text.splitlines()[:3] == ["{", "  busybox: {", "    APPLET_00: true,"]
    assert text.endswith("    APPLET_11: true,\n  },\n}\n")


STANDARD = """\
// What this is for.
{
  name: "edge", // a name
  extends: "standard",
  image: { formats: ["oci"], budget: "12MB" },

  busybox: {
    // network
    PING: true, // can we reach it?
    WGET: true, /* downloads */ // twice
    // text
    AWK: true,
    SED: false // the last
  },
  // the end
}
"""
VALUES: Sections = {
    "image": {"formats": ["oci"], "budget": "12MB"},
    "busybox": {"PING": True, "WGET": True, "AWK": True, "SED": False},
}


def with_busybox(**changes: JsonValue) -> Sections:
    merged = {**VALUES["busybox"], **changes}
    return {**VALUES, "busybox": {key: value for key, value in merged.items() if value is not None}}


def replaced(*pairs: tuple[str, str]) -> str:
    text = STANDARD
    for old, new in pairs:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


def test_nothing_changed_is_the_same_bytes() -> None:
    assert edited(STANDARD, VALUES) == STANDARD


@pytest.mark.parametrize(
    "text",
    [
        "{busybox:{A:true},image:{}}",
        "{\r\n\tbusybox: {\r\n\t\tA: true\r\n\t}\r\n}\r\n",
        "\ufeff{ 'busybox': { \"A\": true, }, }",
        "/* a */ { busybox /* b */ : /* c */ { A // d\n : true /* e */ , // f\n } /* g */ , } // h",
        "{ busybox: { A: true" + " " * 200 + "} }",
    ],
)
def test_strange_formatting_is_left_alone(text: str) -> None:
    assert edited(text, {"busybox": {"A": True}}) == text


def test_a_changed_value_is_replaced_in_place() -> None:
    assert edited(STANDARD, with_busybox(WGET=False)) == replaced(("WGET: true", "WGET: false"))
    changed: Sections = {**VALUES, "image": {"formats": ["oci"], "budget": '5 "MB"'}}
    assert edited(STANDARD, changed) == replaced(('"12MB"', '"5 \\"MB\\""'))


def test_a_removed_key_takes_its_line_and_comment_along() -> None:
    assert edited(STANDARD, with_busybox(WGET=None)) == replaced(("    WGET: true, /* downloads */ // twice\n", ""))
    assert edited(STANDARD, with_busybox(AWK=None)) == replaced(("    AWK: true,\n", ""))
    assert edited(STANDARD, with_busybox(SED=None)) == replaced(("    SED: false // the last\n", ""))


def test_a_new_key_comes_in_sorted_position() -> None:
    # The keys are not sorted here, so it is the place before the first that sorts after it.
    assert edited(STANDARD, with_busybox(TAR=True)) == replaced(("it?\n", "it?\n    TAR: true,\n"))
    assert edited(STANDARD, with_busybox(QUX=True)) == replaced(("it?\n", "it?\n    QUX: true,\n"))
    assert edited(STANDARD, with_busybox(ZCAT=True)) == replaced(
        ("SED: false // the last\n", "SED: false, // the last\n    ZCAT: true,\n")
    )
    assert edited(STANDARD, with_busybox(ASH=True)) == replaced(("  busybox: {\n", "  busybox: {\n    ASH: true,\n"))


def test_sections_on_one_line_stay_on_it_while_they_fit() -> None:
    changed: Sections = {**VALUES, "image": {"arch": "arm64", "formats": ["oci"], "hostname": "x"}}
    assert edited(STANDARD, changed) == replaced(
        ('{ formats: ["oci"], budget: "12MB" }', '{ arch: "arm64", formats: ["oci"], hostname: "x" }')
    )
    wide: Sections = {**VALUES, "image": {**VALUES["image"], "hostname": "x" * 60}}
    assert edited(STANDARD, wide) == replaced(
        (
            '{ formats: ["oci"], budget: "12MB" }',
            f'{{\n    formats: ["oci"],\n    budget: "12MB",\n    hostname: "{"x" * 60}",\n  }}',
        )
    )


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("A", "{ busybox: { /* x */ B: 2, C: 3 /* z */ } }"),
        ("B", "{ busybox: { /* x */ A: 1 /* y */, C: 3 /* z */ } }"),
        ("C", "{ busybox: { /* x */ A: 1 /* y */, B: 2 /* z */ } }"),
    ],
)
def test_a_key_that_shares_its_line_goes_alone(key: str, text: str) -> None:
    values: dict[str, JsonValue] = {name: number for name, number in {"A": 1, "B": 2, "C": 3}.items() if name != key}
    assert edited("{ busybox: { /* x */ A: 1 /* y */, B: 2, C: 3 /* z */ } }", {"busybox": values}) == text


def test_lists_are_compared_as_sets_and_edited_one_by_one() -> None:
    text = '{ image: { formats: ["oci", /* big */ "disk"] } }'
    assert edited(text, {"image": {"formats": ["disk", "oci"]}}) == text
    assert edited(text, {"image": {"formats": ["rootfs", "oci", "disk"]}}) == text.replace('["oci"', '["rootfs", "oci"')
    assert edited(text, {"image": {"formats": ["disk"]}}) == text.replace('"oci", ', "")
    assert edited(text, {"image": {"formats": ["oci"]}}) == '{ image: { formats: ["oci", /* big */] } }'
    assert edited(text, {"image": {"formats": []}}) == "{ image: { formats: [/* big */] } }"


def test_sections_come_and_go() -> None:
    assert edited(STANDARD, {"busybox": VALUES["busybox"]}) == replaced(
        ('  image: { formats: ["oci"], budget: "12MB" },\n', "")
    )
    more: Sections = {**VALUES, "kernel": {"B": True, "A": 3}}
    assert edited(STANDARD, more) == replaced(('"12MB" },\n', '"12MB" },\n  kernel: { A: 3, B: true },\n'))
    last: Sections = {**VALUES, "services": {"ntpd": True}}
    assert edited(STANDARD, last) == replaced(("  },\n  // the end", "  },\n  services: { ntpd: true },\n  // the end"))


def test_a_section_that_loses_its_keys_stays_if_it_holds_comments() -> None:
    left = edited(STANDARD, {"image": VALUES["image"]})
    assert "  busybox: {\n    // network\n    // text\n  },\n" in left
    assert edited(left, VALUES).count("// network") == 1
    assert preset.parse(edited(left, VALUES), PATH).sections == VALUES


def test_an_empty_section_that_was_there_stays() -> None:
    assert edited("{ init: {}, busybox: {A: 1} }", {"busybox": {"A": 2}}) == "{ init: {}, busybox: {A: 2} }"


def test_the_top_is_edited_too() -> None:
    assert edited(STANDARD, VALUES, name="other", extends="./x.json5") == replaced(
        ('"edge"', '"other"'), ('"standard"', '"./x.json5"')
    )
    assert edited("{\n  busybox: { A: 1 },\n}\n", {"busybox": {"A": 1}}, name="x") == (
        '{\n  name: "x",\n  busybox: { A: 1 },\n}\n'
    )
    assert edited(STANDARD, VALUES, extends=None) == replaced(('  extends: "standard",\n', ""))


def test_line_ends_and_indentation_of_the_file_are_used() -> None:
    text = "{\r\n\tbusybox: {\r\n\t\tA: true\r\n\t}\r\n}\r\n"
    assert edited(text, {"busybox": {"A": True, "B": True}, "init": {f"k{i:02}": "v" * 9 for i in range(8)}}) == (
        "{\r\n\tbusybox: {\r\n\t\tA: true,\r\n\t\tB: true,\r\n\t},\r\n\tinit: {\r\n"
        + "".join(f'\t\tk{i:02}: "vvvvvvvvv",\r\n' for i in range(8))
        + "\t},\r\n}\r\n"
    )


@pytest.mark.parametrize("text", ["{}", "{ }", "{\n}\n", "{\n  // nothing yet\n}", "{ /* x */ }", "{ // x\n}"])
def test_an_empty_preset_can_be_filled(text: str) -> None:
    result = edited(text, {"image": {"arch": "arm64"}, "busybox": {"A": True}})
    assert preset.parse(result, PATH).sections == {"image": {"arch": "arm64"}, "busybox": {"A": True}}
    comments = re.findall(r"//[^\n]*|/\*.*?\*/", text)
    assert re.findall(r"//[^\n]*|/\*.*?\*/", result) == comments


# For all presets: texts with every kind of formatting, and what they might be changed to

VALUES_OF_KEYS: st.SearchStrategy[JsonValue] = st.one_of(
    st.booleans(),
    st.integers(-9, 300),
    st.sampled_from(["m", "", "5MB", 'a "quoted" word', "it's", "back\\slash", "// no comment", "/* nor this */", "ü"]),
    st.lists(st.sampled_from(["oci", "rootfs", "disk"]), unique=True, max_size=3),
)
SECTION_VALUES: st.SearchStrategy[Sections] = st.dictionaries(
    st.sampled_from(["image", "kernel", "busybox", "init"]),
    st.dictionaries(st.sampled_from(["A", "B", "CC", "D_1", "e", "f"]), VALUES_OF_KEYS, max_size=5),
    max_size=4,
)


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, Sections]:
    """A preset's text in some formatting, and its sections. Every comment has a number of its own."""
    sections = draw(SECTION_VALUES)
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    count = 0

    def comment(*, whole_line: bool) -> str:
        nonlocal count
        count += 1
        return f"// c{count}{newline}" if whole_line else f"/* c{count} */"

    def gap() -> str:
        kind = draw(st.integers(0, 7))
        if kind == 0:
            return f" {comment(whole_line=False)} "
        if kind == 1:
            return f" {comment(whole_line=True)}"
        return "" if kind == 2 else newline + "  " if kind == 3 else " "

    def literal(value: object) -> str:
        if isinstance(value, list):
            return bracketed("[", [literal(word) for word in value], "]")
        text = json.dumps(value, ensure_ascii=draw(st.booleans()))
        if isinstance(value, str) and "'" not in value and '"' not in value and draw(st.booleans()):
            return f"'{text[1:-1]}'"
        return text

    def bracketed(left: str, items: list[str], right: str) -> str:
        if not draw(st.booleans()):
            parts = [left]
            for number, item in enumerate(items):
                last = number == len(items) - 1
                parts += [gap(), item, gap(), "" if last and draw(st.booleans()) else ","]
            return "".join([*parts, gap(), right])
        lines = [left]
        for number, item in enumerate(items):
            last = number == len(items) - 1
            if draw(st.integers(0, 3)) == 0:
                lines.append(f"    {comment(whole_line=True).rstrip()}")
            tail = f" {comment(whole_line=True).rstrip()}" if draw(st.integers(0, 3)) == 0 else ""
            lines.append(f"    {item}{'' if last and draw(st.booleans()) else ','}{tail}")
        return newline.join([*lines, f"  {right}"])

    def key(word: str) -> str:
        return draw(st.sampled_from([word, f'"{word}"', f"'{word}'"]))

    members = []
    if draw(st.booleans()):
        members.append(f"{key('extends')}: {literal('base')}")
    for section, values in sections.items():
        inner = [f"{key(name)}{draw(st.sampled_from(['', ' ']))}: {literal(value)}" for name, value in values.items()]
        members.append(f"{key(section)}: {bracketed('{', inner, '}')}")
    return f"{gap()}{bracketed('{', members, '}')}{gap()}", sections


def as_sets(sections: Mapping[str, Mapping[str, object]]) -> dict[str, dict[str, object]]:
    return {
        section: {key: (type(value), set(value) if isinstance(value, list) else value) for key, value in values.items()}
        for section, values in sections.items()
        if values
    }


def comments(text: str) -> list[str]:
    return re.findall(r"c\d+\b", re.sub(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", "", text))


@given(texts())
def test_for_all_saving_what_is_there_changes_nothing(given_: tuple[str, Sections]) -> None:
    text, sections = given_
    assert as_sets(preset.parse(text, PATH).sections) == as_sets(sections)
    assert edited(text, sections) == text


@given(texts(), SECTION_VALUES)
def test_for_all_what_is_saved_is_read_back(given_: tuple[str, Sections], wanted: Sections) -> None:
    text, _ = given_
    once = edited(text, wanted)
    assert as_sets(preset.parse(once, PATH).sections) == as_sets(wanted)
    assert edited(once, wanted) == once
    if "base" in text:
        assert preset.parse(once, PATH).extends == "base"


@given(texts(), SECTION_VALUES)
def test_for_all_without_removals_no_comment_is_lost(given_: tuple[str, Sections], more: Sections) -> None:
    text, sections = given_
    wanted = {key: {**sections.get(key, {}), **more.get(key, {})} for key in {**sections, **more}}
    for section, values in sections.items():
        for key, value in values.items():  # to change a list is to remove from it
            assume(not isinstance(value, list) or wanted[section][key] == value)
    assert sorted(comments(edited(text, wanted))) == sorted(comments(text))


@given(texts(), st.data())
def test_for_all_a_removal_costs_only_comments_of_its_own_line(
    given_: tuple[str, Sections], data: st.DataObject
) -> None:
    text, sections = given_
    keys = [(section, key) for section, values in sections.items() for key in values if len(values) > 1]
    assume(keys)
    section, key = data.draw(st.sampled_from(keys))
    wanted = {**sections, section: {name: value for name, value in sections[section].items() if name != key}}
    result = edited(text, wanted)
    root = json5_text.scan(text)
    assert root
    item = root.get(section)
    assert item and item.content
    member = item.content.get(key)
    assert member
    start = text.rfind("\n", 0, member.start) + 1
    end = text.find("\n", member.stop)
    own = text[start : end if end >= 0 else len(text)]
    assert set(comments(text)) - set(comments(result)) <= set(comments(own))


@given(texts(), SECTION_VALUES)
def test_for_all_lines_of_keys_that_stay_are_the_same(given_: tuple[str, Sections], wanted: Sections) -> None:
    text, sections = given_
    root = json5_text.scan(text)
    assert root
    result = edited(text, wanted)
    for section, values in sections.items():
        item = root.get(section)
        assert item and item.content
        for key, value in values.items():
            if wanted.get(section, {}).get(key) == value and type(wanted[section][key]) is type(value):
                member = item.content.get(key)
                assert member
                assert text[member.start : member.end] in result


@given(texts())
def test_for_all_positions_agree_with_a_full_parser(given_: tuple[str, Sections]) -> None:
    text, _ = given_
    read = preset.parse(text, PATH)
    model = json5.loader.loads(text, loader=json5.loader.ModelLoader())

    def name(key: object) -> str:
        return str(getattr(key, "name", None) or getattr(key, "characters"))  # noqa: B009 - it has no types

    expected: dict[tuple[str, str | None], int] = {}
    for pair in model.value.key_value_pairs:
        expected[name(pair.key), None] = pair.key._tok.index
        for member in getattr(pair.value, "key_value_pairs", ()):
            expected[name(pair.key), name(member.key)] = member.key._tok.index
    assert read.positions == expected


@st.composite
def json5_texts(draw: st.DrawFn) -> str:
    gap = st.sampled_from(["", " ", "\n", "\u2028", "\ufeff", "// a: ]\n", "/* } */", "/* // */", "//\r"])
    scalar = st.sampled_from(
        [
            "1",
            "-.5e3",
            "+0x1F",
            "null",
            "true",
            "Infinity",
            "-Infinity",
            '"a // b"',
            "'\\''",
            '"\\"}"',
            "'x\\\ny'",
            "'/* '",
        ]
    )
    key = st.sampled_from(["a", "$b_1", "é", "'c d'", '"e\\"f"', "\\u0067", "null"])

    def spaced(part: str) -> str:
        return draw(gap) + part + draw(gap)

    def value(depth: int) -> str:
        kind = draw(st.integers(0, 3)) if depth else 0
        if kind < 2:
            return spaced(draw(scalar))
        items = [value(depth - 1) for _ in range(draw(st.integers(0, 3)))]
        if kind == 2:
            items = [f"{spaced(draw(key))}:{item}" for item in items]
        inner = ",".join(items) + draw(st.sampled_from(["", ","] if items else [""])) + draw(gap)
        return spaced(f"{{{inner}}}" if kind == 2 else f"[{inner}]")

    return value(4)


@given(json5_texts())
def test_for_all_texts_the_structure_is_that_of_the_value(text: str) -> None:
    value = pyjson5.decode(text)
    root = json5_text.scan(text)

    def check(container: json5_text.Container | None, value: object) -> None:
        if not isinstance(value, (dict, list)):
            assert container is None
            return
        assert container is not None and container.is_object == isinstance(value, dict)
        assert pyjson5.decode(text[container.start : container.end]) == value
        if isinstance(value, dict):
            assert {item.key for item in container.items} == set(value)
        else:
            assert len(container.items) == len(value)
        for index, item in enumerate(container.items):
            inner = value[index] if isinstance(value, list) else value[item.key]
            if not (container.is_object and container.get(str(item.key)) is not item):
                check(item.content, inner)
                assert pyjson5.decode(text[item.value : item.end]) == inner

    check(root, value)


@given(st.text(max_size=60))
def test_no_text_is_more_than_an_error(text: str) -> None:
    try:
        preset.parse(text, PATH)
    except PresetError as error:
        assert str(PATH) in str(error)


# Writing files


def test_a_file_is_written_whole_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.json5"
    path.write_text("before")
    path.chmod(0o640)
    preset.write(path, "{ name: 'ü' }\r\n")
    assert path.read_bytes() == "{ name: 'ü' }\r\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json5"]


def test_a_new_file_gets_the_usual_mode(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        preset.write(tmp_path / "a.json5", "{}")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a.json5").stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.json5").write_text("before")
    link = tmp_path / "a.json5"
    link.symlink_to("real/a.json5")
    preset.write(link, "after")
    assert link.is_symlink()
    assert (tmp_path / "real" / "a.json5").read_text() == "after"


def test_what_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json5"
    path.write_text("before")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MachineError, match="No space left") as caught:
        preset.write(path, "after")
    assert caught.value.exit_code == 3
    assert path.read_text() == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json5"]
    with pytest.raises(MachineError, match="No such file"):
        preset.write(tmp_path / "missing" / "a.json5", "after")
