"""What the demo found out, measured against the sandbox's own record of who sat where."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

#: Seconds between two heartbeats of a shard: how late a stay may have been seen alive before an outage.
HEARTBEAT = 15.0


@dataclass(frozen=True, slots=True)
class Operation:
    """The operation as the database has it; times in ISO 8601, UTC."""

    id: str
    title: str
    started_at: str
    ended_at: str


@dataclass(frozen=True, slots=True)
class Participant:
    """One member's share.

    :param seconds: what the bot credited.
    :param truth_seconds: what the sandbox knows.
    :param moved_unseen: whether the member changed channel while the bot heard nothing.
    :param gross: share before the transfer fee, net after it; whole aUEC.
    """

    user_id: str
    name: str
    seconds: int
    truth_seconds: float
    estimated: bool
    moved_unseen: bool
    gross: int
    net: int

    @property
    def error(self) -> float:
        """Return by how many seconds the credit differs from the truth."""
        return abs(self.seconds - self.truth_seconds)


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of one demo."""

    seed: int
    operation: Operation
    participants: list[Participant]
    payroll_id: str
    gross: int
    expenses: int
    org_cut: int
    fees: int
    payouts_total: int
    gateway_events: int
    hooks_delivered: int
    restarts: int
    downtime_seconds: float
    pdf: bytes
    csv: bytes

    @property
    def largest_error_seconds(self) -> float:
        """Return the largest error among members who did not change channel while the bot was down."""
        return max((p.error for p in self.participants if not p.moved_unseen), default=0.0)

    @property
    def largest_estimated_error_seconds(self) -> float:
        """Return the largest error among the others."""
        return max((p.error for p in self.participants if p.moved_unseen), default=0.0)

    @property
    def adds_up(self) -> bool:
        """Say whether every aUEC of the gross is somewhere."""
        paid = sum(p.net for p in self.participants)
        return paid == self.payouts_total and self.gross == self.expenses + self.org_cut + self.fees + paid

    @property
    def exact(self) -> bool:
        """Say whether the promises hold: exact sums, exact time, and bounded, marked estimates."""
        return (
            self.adds_up
            and self.largest_error_seconds <= 1.0
            and self.largest_estimated_error_seconds <= self.downtime_seconds + HEARTBEAT
            and all(p.estimated for p in self.participants if p.moved_unseen or p.error > 1.0)
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON, without the files."""
        body = asdict(self)
        del body["pdf"], body["csv"]
        return {
            **body,
            "largest_error_seconds": round(self.largest_error_seconds, 3),
            "largest_estimated_error_seconds": round(self.largest_estimated_error_seconds, 3),
            "adds_up": self.adds_up,
        }

    def summary(self) -> str:
        """Return two lines for people."""
        shared = (
            f"{self.gross:,} aUEC = payouts {self.payouts_total:,} + org cut {self.org_cut:,} "
            f"+ fees {self.fees:,}"
        )
        if self.expenses:
            shared += f" + expenses {self.expenses:,}"
        return (
            f"{self.operation.title}: {_members(len(self.participants))}, {shared}"
            f" ({'exact' if self.adds_up else 'DOES NOT ADD UP'})\n"
            f"Time: {self.largest_error_seconds:.2f} s off at most; "
            f"{self.largest_estimated_error_seconds:.2f} s for members who moved while the bot was away "
            f"({self.downtime_seconds:.0f} s, {self.restarts} restart)"
        )


def _members(count: int) -> str:
    return "1 member" if count == 1 else f"{count} members"


def write_report(report: Report, out: Path) -> list[Path]:
    """Write the PDF, the CSV and report.json; returns their paths."""
    files = {
        out / f"payroll-{report.payroll_id}.pdf": report.pdf,
        out / f"payroll-{report.payroll_id}.csv": report.csv,
        out / "report.json": (json.dumps(report.as_dict(), indent=2) + "\n").encode(),
    }
    for path, content in files.items():
        path.write_bytes(content)
    return list(files)
