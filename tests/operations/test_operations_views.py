"""What members see of operations, at its largest, against Discord's written limits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import discord
import pytest
from support.operations import START, at

from plugins.operations import ChannelRef, OperationView, ParticipantView, Summary
from plugins.operations.rules.credit import Credit
from plugins.operations.store import Progress
from plugins.operations.views import duration, fit, plain, status_embed, summary_embed
from sandbox.server.limits import check_message

LONG = "*_`Ж~|" * 5


def operation(status: str = "ended") -> OperationView:
    return OperationView(
        7, "sunday", "Sunday Mining - 2026-09-06", "📅", status, START, at(130), False, participants=0
    )


def message(*embeds: discord.Embed) -> dict[str, Any]:
    return {"embeds": [embed.to_dict() for embed in embeds]}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h 0 min"),
        (6720, "1 h 52 min"),
        (100 * 3600 + 61, "100 h 1 min"),
    ],
)
def test_durations(seconds: int, words: str) -> None:
    assert duration(seconds) == words


def test_a_list_that_fits_is_left_alone() -> None:
    assert fit(["one", "two"], 7) == "one\ntwo"
    assert fit([], 7) == ""


def test_a_list_that_does_not_fit_says_how_many_are_left_out() -> None:
    lines = [f"line {n}" for n in range(1000)]
    text = fit(lines, 100)
    shown = text.split("\n")
    assert len(text) <= 100
    assert shown[:-1] == lines[: len(shown) - 1]
    assert shown[-1] == f"… and {1000 - (len(shown) - 1)} more"


def test_names_show_as_they_are_written() -> None:
    assert plain("**quartz**") == "\\*\\*quartz\\*\\*"
    assert "@everyone" not in plain("@everyone")


def test_a_summary_of_500_members_is_taken_by_discord() -> None:
    people = tuple(ParticipantView(n, LONG, 7800 - n, estimated=n % 2 == 0) for n in range(500))
    embed = summary_embed(Summary(operation(), people))
    assert check_message(message(embed)) == []
    assert embed.description is not None
    assert embed.description.rstrip().endswith("more")
    assert [each.value for each in embed.fields][:2] == [
        f"2 h 10 min (<t:{int(START.timestamp())}:t>–<t:{int(at(130).timestamp())}:t>)",
        "500",
    ]
    assert "≈" in embed.description
    assert embed.footer.text is not None
    assert embed.footer.text.startswith("≈ Partly estimated")


def test_a_summary_without_anybody_says_so_and_names_no_payroll() -> None:
    embed = summary_embed(Summary(operation(), ()))
    assert embed.description == "Nobody sat in a tracked channel, so there is nothing to share."
    assert "Next" not in [each.name for each in embed.fields]
    assert embed.footer.text is None


def test_three_full_operations_fit_into_one_status() -> None:
    channels = tuple(ChannelRef(10**18 + n, f"Crew {n}", dispatch=n == 0) for n in range(25))
    sitting = {
        each.channel_id: tuple(range(place * 40, place * 40 + 40)) for place, each in enumerate(channels)
    }
    earned = {user: Credit(user, 60, user % 2 == 0, {}) for user in range(1000)}
    progress = Progress(operation("active"), channels, sitting, earned, {})
    names = dict.fromkeys(range(1000), LONG)
    now = START + timedelta(minutes=50)
    assert check_message(message(status_embed(progress, names, now))) == []
    assert check_message(message(*(status_embed(progress, names, now, 3500 // 3) for _ in range(3)))) == []


def test_a_status_tells_who_sits_where_and_what_is_earned() -> None:
    channels = (ChannelRef(10, "Dispatch", dispatch=True), ChannelRef(11, "Alpha"))
    earned = {1: Credit(1, 3000, False, {}), 2: Credit(2, 600, True, {}), 3: Credit(3, 600, False, {})}
    progress = Progress(operation("active"), channels, {10: (), 11: (1, 3)}, earned, {2: "beryl"})
    embed = status_embed(progress, {1: "quartz"}, at(50))
    assert embed.description is not None
    assert embed.description.split("\n") == [
        f"Since <t:{int(START.timestamp())}:t> (50 min), 2 in voice now.",
        "",
        "**In voice**",
        "<#10> (0): —",
        "<#11> (2): quartz, member 3",
        "",
        "**Credited so far**",
        "quartz · 50 min",
        "beryl · ≈ 10 min",
        "member 3 · 10 min",
    ]
