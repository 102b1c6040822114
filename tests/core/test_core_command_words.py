"""Pages of help, what a server's own settings hide, and other words, without any Discord."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.commands.facts import permission_words, reason_in_short
from core.commands.help_pages import Line, Section, paged
from core.commands.overrides import CHANNEL, ROLE, USER, Asker, hidden_by
from core.commands.plugin_pages import fitting
from core.manifest import HelpTopic


@given(
    st.lists(st.integers(1, 40), max_size=12),
    st.integers(0, 10),
    st.integers(120, 600),
)
def test_pages_lose_nothing_and_fit(sizes: list[int], topics: int, limit: int) -> None:
    sections = [
        Section(f"p{n}", f"Plugin {n}", tuple(Line(f"p{n} c{m}", "x" * 40) for m in range(size)))
        for n, size in enumerate(sizes)
    ]
    given_topics = {f"p.t{n}": HelpTopic(f"t{n}", "A title", "text") for n in range(topics)}
    pages = paged(sections, given_topics, limit)
    assert pages
    assert all(len(page) <= limit for page in pages)
    whole = "\n".join(pages)
    for section in sections:
        assert all(str(line) in whole for line in section.lines)
    assert all(f"topic:{key}`" in whole for key in given_topics)


COMMAND, BOT, GUILD, ME, HERE = 10, 20, 30, 40, 50


@pytest.mark.parametrize(
    ("rules", "hidden"),
    [
        ({}, None),
        ({COMMAND: [(ROLE, GUILD, False)]}, "everyone"),
        ({BOT: [(ROLE, GUILD, False)]}, "everyone"),
        ({COMMAND: [(ROLE, GUILD, True)], BOT: [(ROLE, GUILD, False)]}, None),
        ({COMMAND: [(ROLE, GUILD, False), (ROLE, 1, True)]}, None),
        ({COMMAND: [(ROLE, 1, False), (ROLE, 2, True)]}, None),
        ({COMMAND: [(ROLE, 1, False)]}, "role"),
        ({COMMAND: [(ROLE, 1, True), (USER, ME, False)]}, "user"),
        ({COMMAND: [(ROLE, 3, False)]}, None),
        ({COMMAND: [(CHANNEL, HERE, False), (USER, ME, True)]}, "channel"),
        ({COMMAND: [(CHANNEL, GUILD - 1, False)]}, "channel"),
        ({COMMAND: [(CHANNEL, GUILD - 1, False), (CHANNEL, HERE, True)]}, None),
        ({BOT: [(USER, ME, False)]}, "user"),
    ],
)
def test_what_a_servers_own_settings_hide(
    rules: dict[int, list[tuple[int, int, bool]]], hidden: str | None
) -> None:
    listed = [
        {"id": str(key), "permissions": [{"type": t, "id": str(i), "permission": p} for t, i, p in each]}
        for key, each in rules.items()
    ]
    asker = Asker(GUILD, ME, [1, 2], HERE)
    assert hidden_by(listed, COMMAND, BOT, asker) == hidden
    assert hidden_by(listed, COMMAND, BOT, Asker(GUILD, ME, [1, 2], HERE, administrator=True)) is None


def test_words() -> None:
    assert permission_words(["manage_guild", "attach_files", "view_channel"]) == (
        "Manage Server, Attach Files, View Channels"
    )
    assert reason_in_short("no file /srv/x/y.toml\n here") == "no file …/y.toml here"
    assert "/mining start" in reason_in_short("/mining start belongs to both a and b")
    assert len(reason_in_short("x" * 500)) == 200


@given(st.lists(st.text("ab", min_size=1, max_size=30), max_size=60), st.integers(80, 400))
def test_what_does_not_fit_is_counted(lines: list[str], limit: int) -> None:
    text = fitting(lines, limit)
    assert len(text) <= limit
    shown = text.split("\n") if text else []
    if shown and shown[-1].endswith("more"):
        assert shown[:-1] == lines[: len(shown) - 1]
        assert shown[-1] == f"… and {len(lines) - len(shown) + 1} more"
    else:
        assert shown == lines
