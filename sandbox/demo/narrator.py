"""Tells the story on the terminal while it is played."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from sandbox.demo.report import Report


class Narrator(Protocol):
    """Whoever tells the story."""

    def begin(self, length: float, words: str) -> None:
        """The operation is about to start; `length` in seconds of sandbox time."""

    def say(self, at: datetime, words: str) -> None:
        """Something worth a line has happened."""

    def progress(self, at: float, words: str) -> None:
        """The story is `at` seconds in; `words` says who is where."""

    def heard(self, who: str, words: str) -> None:
        """The bot answered somebody."""

    def end(self, report: Report, files: list[Path]) -> None:
        """All is played and written."""


class Silent:
    """Says nothing."""

    def begin(self, length: float, words: str) -> None:
        """Say nothing."""

    def say(self, at: datetime, words: str) -> None:
        """Say nothing."""

    def progress(self, at: float, words: str) -> None:
        """Say nothing."""

    def heard(self, who: str, words: str) -> None:
        """Say nothing."""

    def end(self, report: Report, files: list[Path]) -> None:
        """Say nothing."""


class Told:
    """Tells it with a progress bar and one line for each turn of the story."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._progress = Progress(
            TextColumn("[bold red]{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[words]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._task: Any = None

    def begin(self, length: float, words: str) -> None:
        """Open the bar."""
        self._console.print(f"[bold]{words}[/bold]")
        self._progress.start()
        self._task = self._progress.add_task("00:00", total=length, words="")

    def say(self, at: datetime, words: str) -> None:
        """Print one line with the sandbox's time."""
        self._console.print(f"[dim]{at:%H:%M:%S}[/dim]  {words}", soft_wrap=True)

    def progress(self, at: float, words: str) -> None:
        """Move the bar on."""
        if self._task is not None:
            passed = max(0, int(at))
            clock = f"{passed // 3600:02}:{passed // 60 % 60:02}"
            self._progress.update(self._task, completed=passed, description=clock, words=words)

    def heard(self, who: str, words: str) -> None:
        """Print what the bot answered."""
        for line in words.splitlines():
            self._console.print(f"          [cyan]{who}[/cyan] {escape(line)}", soft_wrap=True)

    def end(self, report: Report, files: list[Path]) -> None:
        """Print the shares and say where the files are."""
        self._progress.stop()
        table = Table(title=report.operation.title, title_justify="left")
        for name in ("member", "credited", "in truth", "gross aUEC", "net aUEC"):
            table.add_column(name, justify="left" if name == "member" else "right")
        for one in sorted(report.participants, key=lambda p: -p.seconds):
            mark = " ≈" if one.estimated else ""
            table.add_row(
                escape(one.name),
                f"{_hms(one.seconds)}{mark}",
                _hms(round(one.truth_seconds)),
                f"{one.gross:,}",
                f"{one.net:,}",
            )
        self._console.print(table)
        self._console.print("≈ estimated: the member changed channel while the bot was away.")
        self._console.print(escape(report.summary()), soft_wrap=True)
        self._console.print("\nThe files are here:")
        for path in files:
            self._console.print(f"  {path.resolve()}", soft_wrap=True)


def _hms(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
