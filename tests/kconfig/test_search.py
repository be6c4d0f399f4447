from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimitui.kconfig.menu import Match, Menus
from kimitui.kconfig.search import Index, Text
from kimitui.kconfig.types import Kconfig

TEXTS = [
    Text("KERNEL_NET", "Network", "All that talks to others.", is_menu=True),
    Text("KERNEL_WIREGUARD", "WireGuard: a small, fast VPN", "Tunnels over UDP."),
    Text("KERNEL_NF_CONNTRACK", "Connection tracking", "Stateful firewalls need it."),
    Text("KERNEL_TUN", "TUN/TAP: networks in user space", "For OpenVPN."),
    Text("KERNEL_SQUASHFS", "SquashFS: a compressed, read-only file system", "The root of the image."),
    Text("KERNEL_SQUASHFS_ZSTD", "SquashFS: zstd", "Needs ZSTD in the kernel."),
    Text("KERNEL_EXT4_FS", "ext4: the file system of most disks", "Journals."),
    Text("BUSYBOX_LS", "ls: list a directory", "Every shell script needs it."),
    Text("BUSYBOX_LSOF", "lsof: list open files", ""),
    Text("BUSYBOX_FEATURE_LS_COLOR", "ls: colours", ""),
    Text("BUSYBOX_FALSE", "false: do nothing, unsuccessfully", ""),
    Text("HARDENING_STACK_CLASH", "Touch each page of a growing stack", ""),
    Text("CAIF_USB", "CAIF over USB", ""),
    Text("USB", "Support for USB", ""),
    Text("HARDENING_STACK", "Stack protection", "", is_menu=True),
]


def found(query: str) -> list[str]:
    return [TEXTS[hit.number].name for hit in Index(enumerate(TEXTS)).find(query, 100)]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("BUSYBOX_LS", ["BUSYBOX_LS", "BUSYBOX_LSOF"]),  # the very name, then what begins with it
        ("usb", ["USB", "CAIF_USB"]),
        ("ls", ["BUSYBOX_LS", "BUSYBOX_FEATURE_LS_COLOR", "BUSYBOX_LSOF", "BUSYBOX_FALSE"]),
        ("CONFIG_WIREGUARD", ["KERNEL_WIREGUARD"]),  # as it stands in a .config
        ("wiREGuard", ["KERNEL_WIREGUARD"]),
        ("stack clash", ["HARDENING_STACK_CLASH"]),  # a space is as good as an underscore
        ("stack", ["HARDENING_STACK", "HARDENING_STACK_CLASH"]),
        ("network", ["KERNEL_NET", "KERNEL_TUN"]),  # the beginning, then the beginning of a word
        ("zstd squash", ["KERNEL_SQUASHFS_ZSTD"]),  # all words, in any order
        ("file root", ["KERNEL_SQUASHFS"]),  # one of them in the help
        ("vpn", ["KERNEL_WIREGUARD", "KERNEL_TUN"]),  # in the prompt, then in the help
        ("firewall", ["KERNEL_NF_CONNTRACK"]),
        ("wirgaurd", ["KERNEL_WIREGUARD"]),
        ("sqashfs", ["KERNEL_SQUASHFS", "KERNEL_SQUASHFS_ZSTD"]),
        ("sqaushf", ["KERNEL_SQUASHFS", "KERNEL_SQUASHFS_ZSTD"]),  # misspelt, and not all typed yet
        ("conection trackng", ["KERNEL_NF_CONNTRACK"]),
        ("wrgrd", ["KERNEL_WIREGUARD"]),  # abbreviated
        ("nfct", ["KERNEL_NF_CONNTRACK"]),
    ],
)
def test_what_is_most_likely_meant_comes_first(query: str, first: list[str]) -> None:
    assert found(query)[: len(first)] == first


@pytest.mark.parametrize("query", ["", "  ", "_", "config_", "zzzz", "xy", "ö"])
def test_nothing_is_found_for_nothing(query: str) -> None:
    assert found(query) == []


def test_a_word_that_is_there_is_not_taken_for_misspelt() -> None:
    assert found("lsof") == ["BUSYBOX_LSOF"]
    assert found("colours") == ["BUSYBOX_FEATURE_LS_COLOR"]


@pytest.mark.parametrize(
    ("query", "prompt", "name"),
    [
        ("ls", "[ls]: list a directory", "BUSYBOX_[LS]"),
        ("directory list", "ls: [list] a [directory]", "BUSYBOX_LS"),
        ("busybox_l", "ls: list a directory", "[BUSYBOX_L]S"),
        ("direktory", "ls: list a [directory]", "BUSYBOX_LS"),
    ],
)
def test_where_it_was_found_can_be_marked(query: str, prompt: str, name: str) -> None:
    hit = next(hit for hit in Index(enumerate(TEXTS)).find(query, 100) if TEXTS[hit.number].name == "BUSYBOX_LS")

    def marked(text: str, spans: tuple[tuple[int, int], ...]) -> str:
        for begin, end in reversed(spans):
            text = f"{text[:begin]}[{text[begin:end]}]{text[end:]}"
        return text

    assert marked(TEXTS[hit.number].prompt, hit.prompt_spans) == prompt
    assert marked(TEXTS[hit.number].name, hit.name_spans) == name


@given(st.text(alphabet="ABCDEILS_ abiİßdl:-*.(", max_size=12), st.text(alphabet="LSİß _ls", max_size=8))
def test_whatever_is_typed_spans_are_pieces_of_the_texts(query: str, prompt: str) -> None:
    texts = [*TEXTS, Text("BUSYBOX_ODD", prompt, prompt)]
    for hit in Index(enumerate(texts)).find(query, 5):
        for text, spans in (
            (texts[hit.number].prompt, hit.prompt_spans),
            (texts[hit.number].name, hit.name_spans),
        ):
            edges = [edge for span in spans for edge in span]
            assert edges == sorted(set(edges))
            assert all(0 <= edge <= len(text) for edge in edges)


def test_the_system_tree(system_kconfig: Kconfig) -> None:
    menus = Menus(system_kconfig)

    def first(query: str) -> Match:
        return menus.search(query)[0]

    assert first("wget").row.symbol == "BUSYBOX_WGET"
    assert first("busybx").row.symbol == "BUSYBOX_BUSYBOX"
    assert first("hostname").row.symbol in ("BUSYBOX_HOSTNAME", "IMAGE_HOSTNAME")
    assert first("udhpcd").row.symbol == "BUSYBOX_UDHCPD"
    assert first("relro").row.symbol == "HARDENING_RELRO"
    assert first("BUSYBOX_GREP").name_spans == ((0, len("BUSYBOX_GREP")),)
