"""Sizes while a configuration is edited, worked out in a thread of their own: no key waits for them.

The thread has a copy of the configuration and brings it in line with what is set whenever it is asked. It pauses while
keys are pressed, and what it has found is kept for each state, so that what was there before is there at once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kimitui.errors import KimituiError

if TYPE_CHECKING:
    from kimitui.config import Configuration
    from kimitui.sizes.estimate import Estimator, Sizes
    from kimitui.sizes.panel import Contributor, Detail

_STATES = 64  # how many are kept: as far as one undoes and comes back
# Options between looks at whether something newer is asked: those one sees, and all there are.
_AT_ONCE = 8
_MANY = 32
QUIET_SECONDS = 0.05  # without a key before it begins: two threads at once would make the keys slow
TYPING_SECONDS = 0.3  # the same where letters are typed, one after the other


@dataclass
class Known:
    """What is known of one state. `problem` is why there are no sizes; a detail is None if nothing was measured."""

    sizes: Sizes | None = None
    problem: str = ""
    deltas: dict[str, int | None] = field(default_factory=dict)
    details: dict[str, Detail | None] = field(default_factory=dict)
    contributors: tuple[Contributor, ...] | None = None


State = tuple[int, int, frozenset[tuple[str, str]]]


class LiveSizes:
    """The sizes of `config` and what its options would change; everything but `close` is for the thread that edits it.

    What is asked for and not known yet is worked out; `changed` is called in the other thread when there is more.
    """

    def __init__(self, config: Configuration, cache_dir: Path, changed: Callable[[], object]) -> None:
        self._config = config
        self._cache_dir = cache_dir
        self._changed = changed
        self._known: OrderedDict[State, Known] = OrderedDict()
        self._before = Known()
        self._wanted: dict[str, None] = {}
        self._details: dict[str, None] = {}
        self._wants_contributors = False
        self._state: State | None = None
        self._epoch = 0
        self._job: _Job
        self._asked = threading.Event()
        self._keys = threading.Event()
        self._quiet_seconds = QUIET_SECONDS
        self._idle = threading.Event()
        self._ended = False
        self._unsubscribe = config.subscribe(lambda _change: self.refresh())
        self.refresh()
        self._thread = threading.Thread(target=self._run, name="sizes", daemon=True)
        self._thread.start()

    # For who edits

    @property
    def sizes(self) -> Sizes | None:
        """The sizes as last worked out; `is_current` says whether they are those of what is set now."""
        return self._here.sizes or self._before.sizes

    @property
    def problem(self) -> str:
        """Why there are no sizes now, "" if there is no reason."""
        return self._here.problem

    @property
    def is_current(self) -> bool:
        """Whether `sizes` belong to what is set now."""
        return self._here.sizes is not None

    @property
    def is_idle(self) -> bool:
        """Whether all that was asked for is there."""
        return self._idle.is_set()

    def delta(self, symbol: str) -> int | None:
        """By how many bytes a toggle would change the total; None if it would be refused or is not known yet.

        Until it is known for what is set now, it is what it was before.
        """
        here = self._here
        if symbol not in here.deltas:
            self._ask(self._wanted, symbol)
            return self._before.deltas.get(symbol)
        return here.deltas[symbol]

    def detail(self, symbol: str) -> Detail | None:
        """Where the bytes of an option go; None if nothing is known of it, or not yet."""
        if symbol not in self._here.details:
            self._ask(self._details, symbol)
            return self._before.details.get(symbol)
        return self._here.details[symbol]

    def contributors(self) -> tuple[Contributor, ...]:
        """The options whose removal would save most; empty until they are known."""
        if self._here.contributors is None:
            if not self._wants_contributors:
                self._wants_contributors = True
                self._wake()
            return self._before.contributors or ()
        return self._here.contributors

    def refresh(self, *, anew: bool = False) -> None:
        """What is set may have changed, or, with `anew`, what is in the store."""
        self._epoch += anew
        assigned, chain = self._config.assigned, self._config.chain
        self._before = self._merged()
        self._state = (id(chain), self._epoch, frozenset(assigned.items()))
        if self._state in self._known:
            self._known.move_to_end(self._state)
        else:
            self._known[self._state] = Known()
            while len(self._known) > _STATES:
                self._known.popitem(last=False)
        self._wanted, self._details = {}, {}
        self._wants_contributors = False
        self._job = _Job((chain, self._epoch), assigned, self._known[self._state])
        self._wake()

    def pause(self, seconds: float = QUIET_SECONDS) -> None:
        """A key was pressed; go on after so many seconds without another."""
        self._quiet_seconds = seconds
        self._keys.set()

    def close(self) -> None:
        """End the thread; it may still be at work for a moment."""
        self._ended = True
        self._unsubscribe()
        self._wake()

    @property
    def _here(self) -> Known:
        return self._known[self._state] if self._state is not None else self._before

    def _merged(self) -> Known:
        """The latest that is known, for what is not known anew yet."""
        here, before = self._here, self._before
        return Known(
            here.sizes or before.sizes,
            "",
            before.deltas | here.deltas,
            before.details | here.details,
            here.contributors or before.contributors,
        )

    def _ask(self, asked: dict[str, None], symbol: str) -> None:
        if symbol not in asked:
            asked[symbol] = None
            self._wake()

    def _wake(self) -> None:
        self._idle.clear()
        self._asked.set()

    # The thread

    def _run(self) -> None:
        worker: _Worker | None = None
        while True:
            self._asked.wait()
            self._keys.clear()
            while self._keys.wait(self._quiet_seconds):  # as long as keys come
                self._keys.clear()
            self._asked.clear()
            if self._ended:
                return
            job = self._job
            if worker is None or worker.origin != job.origin:
                worker = _Worker(self._config.copy(), job.origin, self._cache_dir)
            worker.config.assume(job.assigned)
            while job is self._job and not self._keys.is_set() and not self._ended:
                if not self._step(worker, job.known):
                    break
                self._changed()
            if self._asked.is_set():
                continue
            if self._keys.is_set():
                self._asked.set()
            else:
                self._idle.set()

    def _step(self, worker: _Worker, known: Known) -> bool:
        """Work out a little of what is asked for; whether there was something."""
        if known.sizes is None and not known.problem:
            try:
                known.sizes = worker.sizes()
            except KimituiError as error:
                known.problem = error.what
        elif known.problem:
            return False
        elif names := [name for name in list(self._wanted) if name not in known.deltas][:_AT_ONCE]:
            known.deltas |= worker.deltas(names)
        elif names := [name for name in list(self._details) if name not in known.details]:
            known.details[names[0]] = worker.detail(names[0])
        elif self._wants_contributors and known.contributors is None:
            return worker.contribute(known)
        else:
            return False
        return True


@dataclass(frozen=True)
class _Job:
    """What is set, and where to put what is found. Another `origin` has other presets, or another store."""

    origin: tuple[object, int]
    assigned: Mapping[str, str]
    known: Known


class _Worker:
    """A configuration that only the thread has."""

    def __init__(self, config: Configuration, origin: tuple[object, int], cache_dir: Path) -> None:
        # Not at the top: the first screen must not wait for what computes sizes.
        from kimitui.sizes.estimate import Estimator

        self.config = config
        self.origin = origin
        self.estimator: Estimator = Estimator(config, cache_dir=cache_dir)
        self._corrections: tuple[str, Mapping[str, int]] | None = None

    def sizes(self) -> Sizes:
        """The sizes now, corrected by what the first state that was asked about turned out to be, if it was built.

        Only by that one, so that a state looks the same however one came to it.
        """
        arch = self.config.choice("IMAGE_ARCH")
        if self._corrections is None:
            self._corrections = arch, self.estimator.corrections()
        return self.estimator.sizes(self._corrections[1] if self._corrections[0] == arch else {})

    def deltas(self, names: Sequence[str]) -> Mapping[str, int | None]:
        """What options would change; None also for those that would make an image that cannot be."""
        try:
            return self.estimator.deltas(names)
        except KimituiError:
            if len(names) == 1:
                return dict.fromkeys(names)
            return {name: delta for one in names for name, delta in self.deltas([one]).items()}

    def detail(self, symbol: str) -> Detail | None:
        """Where the bytes of an option go."""
        from kimitui.sizes import panel

        return panel.detail(self.config, symbol)

    def contribute(self, known: Known) -> bool:
        """Look at a few more of the options that are on, and when all are known, find those that weigh most."""
        from kimitui.sizes import panel

        missing = [name for name in panel.candidates(self.config) if name not in known.deltas]
        if missing:
            known.deltas |= self.deltas(missing[:_MANY])
        else:
            known.contributors = panel.largest(known.deltas, panel.candidates(self.config))
        return True
