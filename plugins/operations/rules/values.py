"""The small frozen values that operations hands to others and takes from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class OperationType:
    """One kind of operation, declared by the plugin that brings it.

    :param name: the key kept in the database, for example "sunday".
    :param title: what people read, for example "Sunday Mining".
    :param badge: one emoji that stands before the title in lists.
    :param start_rank: lowest rank that may start it.
    :param stop_rank: lowest rank that may stop it.
    :param countdown: how long "ending" lasts; zero ends at once.
    :param sync: how long late figures still count after the end; zero for none.
    :param needs_validation: participants are confirmed by hand before a payroll.
    :param tracks_voice: credit comes from voice sessions.
    :param date_format: strftime pattern of what follows the title.
    """

    name: str
    title: str
    badge: str
    start_rank: str
    stop_rank: str
    countdown: timedelta = timedelta(0)
    sync: timedelta = timedelta(0)
    needs_validation: bool = False
    tracks_voice: bool = True
    date_format: str = "%Y-%m-%d"


@dataclass(frozen=True, slots=True)
class ChannelRef:
    """A voice channel as an operation tracks it.

    :param dispatch: the bot's own seat is here.
    """

    channel_id: int
    name: str
    dispatch: bool = False


@dataclass(frozen=True, slots=True)
class OperationView:
    """What others see of an operation.

    :param type: the name of its OperationType.
    :param status: planned, active, ending, syncing, ended, completed or cancelled.
    :param started_at: aware UTC.
    :param ended_at: None while it has not ended.
    :param payroll_processed: a payroll of it is locked.
    :param participants: how many members have credit; 0 before the end.
    """

    id: int
    type: str
    title: str
    badge: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    payroll_processed: bool
    participants: int


@dataclass(frozen=True, slots=True)
class ParticipantView:
    """One member's credit in an ended operation.

    :param name: as shown when the operation ended.
    :param seconds: whole seconds of credit, more than 0.
    :param estimated: part of it was inferred after an outage of the bot.
    """

    user_id: int
    name: str
    seconds: int
    estimated: bool


@dataclass(frozen=True, slots=True)
class Started:
    """The answer to a start.

    :param channels: what is tracked, in order.
    :param seat_problem: words for why the bot does not sit in dispatch, None when it does.
    """

    operation: OperationView
    channels: tuple[ChannelRef, ...]
    seat_problem: str | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """The answer to a stop: who took part, longest first."""

    operation: OperationView
    participants: tuple[ParticipantView, ...]


@dataclass(frozen=True, slots=True)
class OperationStarted:
    """An operation runs; its start is committed."""

    guild_id: int
    operation: OperationView
    channels: tuple[ChannelRef, ...]
    initiator_id: int


@dataclass(frozen=True, slots=True)
class OperationEnded:
    """An operation has ended; its participants are committed."""

    guild_id: int
    operation: OperationView
    participants: tuple[ParticipantView, ...]
    ended_by: int
