# SPDX-License-Identifier: Apache-2.0
"""How far long work is: a line on a terminal, a bar in a notebook, or a function of the caller's."""
from __future__ import annotations

import html
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_INTERVAL = 0.1  # seconds between two drawings


@dataclass(frozen=True)
class Progress:
    """`done` of `total` steps of a stage; stages may run at the same time."""

    stage: str
    done: int
    total: int


# True: shown; None: shown on a terminal and in a notebook; False: not at all.
ProgressArgument = bool | Callable[[Progress], None] | None


def in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    found: Any = shell.get_ipython() if shell and hasattr(shell, "get_ipython") else None
    return found is not None and getattr(found, "kernel", None) is not None


class Reporter:
    """Takes the steps of all stages of one piece of work; what it shows goes when the work ends."""

    def __init__(self, wanted: ProgressArgument) -> None:
        self.function = wanted if callable(wanted) else None
        self.notebook = self.function is None and wanted is not False and in_notebook()
        terminal = wanted is True or (wanted is None and sys.stderr is not None and sys.stderr.isatty())
        self.line = self.function is None and not self.notebook and terminal
        self.wanted = bool(self.function or self.notebook or self.line)
        self.stages: dict[str, Progress] = {}
        self.drawn = 0.0
        self.handle: Any = None

    def stage(self, name: str) -> Callable[[int, int], None]:
        return lambda done, total: self(Progress(name, done, total))

    def __call__(self, step: Progress) -> None:
        if self.function:
            self.function(step)
        if not (self.notebook or self.line):
            return
        self.stages[step.stage] = step
        now = time.monotonic()
        if now - self.drawn < _INTERVAL and step.done < step.total:
            return
        self.drawn = now
        if self.notebook:
            self.show(notebook_bars(self.stages))
        else:
            sys.stderr.write("\r\033[K" + "  ".join(map(step_text, self.stages.values())))
            sys.stderr.flush()

    def show(self, text: str) -> None:
        from IPython.display import HTML, display  # type: ignore[import-not-found, unused-ignore]

        if self.handle is None:
            self.handle = display(HTML(text), display_id=True)  # type: ignore[no-untyped-call, unused-ignore]
        else:
            self.handle.update(HTML(text))  # type: ignore[no-untyped-call, unused-ignore]

    def __enter__(self) -> Reporter:
        return self

    def __exit__(self, *_: object) -> None:
        if self.line and self.drawn:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
        if self.notebook and self.handle is not None:
            self.show("")


def step_text(step: Progress) -> str:
    if step.total > 1_000_000:  # bytes
        return f"{step.stage} {100 * step.done // step.total} %"
    return f"{step.stage} {step.done}/{step.total}"


def notebook_bars(stages: dict[str, Progress]) -> str:
    rows = (f"<tr><td>{html.escape(step.stage)}</td><td><progress value='{step.done}' max='{max(step.total, 1)}'>"
            f"</progress></td><td>{html.escape(step_text(step).removeprefix(step.stage))}</td></tr>"
            for step in stages.values())
    return f"<table>{''.join(rows)}</table>"
