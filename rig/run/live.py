"""A step under way, as a terminal shows it. Apart from Progress because rich takes a quarter of a second to import."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, SpinnerColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

BAR_WIDTH = 30


class _Amount(BarColumn):
    """A bar where it is known how much there is, and nothing where it is not."""

    def render(self, task: Task) -> RenderableType:  # type: ignore[override]
        return super().render(task) if task.total is not None else Text("")


class _Count(TextColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.completed:.0f} of {task.total:.0f}" if task.total is not None else "")


def live_step(stream: TextIO, name: str) -> Progress:
    """One step, not started yet; it leaves nothing behind when it is stopped."""
    description = TextColumn("{task.description} …", markup=False)
    columns = SpinnerColumn(), description, _Amount(BAR_WIDTH), _Count(""), TimeRemainingColumn()
    live = Progress(*columns, console=Console(file=stream, highlight=False), transient=True)
    live.add_task(name, total=None)
    return live
