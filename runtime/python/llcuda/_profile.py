# SPDX-License-Identifier: Apache-2.0
"""Tables for people: text, and HTML with bars in notebooks."""
from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class KernelTime:
    """All launches of one kernel in the phase of so many rows; `bytes` are those that it moved."""

    phase: str
    rows: int
    kernel: str
    launches: int
    seconds: float
    bytes: int


@dataclass(frozen=True)
class Profile:
    """`copy_bytes_per_second` is what a copy on the device moved, read and written bytes together."""

    copy_bytes_per_second: float
    kernels: tuple[KernelTime, ...]

    def _rows(self) -> list[tuple[str, float, str]]:
        return [(f"{one.phase} {one.rows}: {one.kernel}", one.seconds,
                 f"{one.seconds * 1e3:.3f} ms in {one.launches}") for one in self.kernels]

    def __str__(self) -> str:
        return "\n".join(f"{name}  {words}" for name, _, words in self._rows())

    def _repr_html_(self) -> str:
        return bars(("kernel", "", "time"), self._rows())


def bars(heads: Sequence[str], rows: Iterable[tuple[str, float, str]]) -> str:
    """A table of name, bar, words; the longest bar is the largest number's."""
    rows = list(rows)
    most = max((size for _, size, _ in rows), default=0) or 1
    lines = "".join(
        f"<tr><td style='text-align:left'>{html.escape(name)}</td>"
        f"<td style='width:12em'><div style='background:#76b900;height:.8em;width:{100 * size / most:.1f}%'></div></td>"
        f"<td style='text-align:right'>{html.escape(words)}</td></tr>" for name, size, words in rows)
    return f"<table><tr>{''.join(f'<th>{html.escape(head)}</th>' for head in heads)}</tr>{lines}</table>"
