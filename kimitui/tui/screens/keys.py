"""The keys of each screen in words, for the help."""

from __future__ import annotations

Group = tuple[str, list[tuple[str, str]]]

MOVING: Group = (
    "Moving",
    [
        ("↑ ↓  or  k j", "a line up, down"),
        ("PgUp PgDn", "a page up, down"),
        ("Home End  or  g G", "first, last line"),
        ("wheel, click", "scroll, select; a double click opens"),
    ],
)

START = [
    ("Enter", "open the preset"),
    ("n", "a new preset that extends this one"),
    ("c", "copy it"),
    ("d  Del", "delete it, if it is one of ./presets"),
    ("/", "show only some, Esc shows all"),
    ("q", "quit"),
    ("?", "these keys"),
]

CONFIGURE: list[Group] = [
    MOVING,
    (
        "Menus",
        [
            ("Enter  →  l", "open a menu, edit a value, choose"),
            ("Esc  ←  h", "back to the menu before"),
            ("/", "search names, prompts and help"),
            ("a", "show all options, also those that are not offered"),
            ("J K", "scroll the help"),
        ],
    ),
    (
        "Values",
        [
            ("Space", "next value; a click on the box does the same"),
            ("y  m  n", "on, module, off"),
            ("u  Ctrl+r", "undo, redo"),
        ],
    ),
    (
        "Preset",
        [
            ("s", "save"),
            ("S", "save as a new preset"),
            ("b", "build what is set now"),
            ("q", "quit"),
        ],
    ),
    (
        "Signs",
        [
            ("[*] [ ]", "on, off"),
            ("<M>", "can be a module, and is one"),
            ("-*-", "on, and cannot be changed now"),
            ("(•) ( )", "chosen, not chosen"),
            ("--->", "has options of its own"),
            ("~", "differs from what the preset extends"),
        ],
    ),
]

BUILD: list[Group] = [
    (
        "Build",
        [
            ("c", "cancel"),
            ("r", "build again, when it has ended"),
            ("↑ ↓  or  k j", "another step, and its log"),
            ("f", "follow the step that runs"),
            ("Esc", "back; the build can go on meanwhile, b comes back to it"),
            ("q", "quit"),
        ],
    ),
    (
        "Log",
        [
            ("/", "find in the log; capital letters count if you type some"),
            ("n  N", "next found line, the one before"),
            ("o", "the whole log in your pager"),
            ("PgUp PgDn", "scroll the log by pages"),
            ("K J", "scroll the log by lines"),
            ("← →  or  h l", "scroll the log sideways"),
            ("Home End  or  g G", "begin of the log; end, and follow it"),
        ],
    ),
    (
        "Signs",
        [
            ("•  ◦", "running, waiting"),
            ("✓  =", "done, cached: made by an earlier build"),
            ("○", "being made by another build"),
            ("✗  –", "failed, cancelled"),
            ("+ name", "what a step uses besides the one it hangs below"),
        ],
    ),
]
