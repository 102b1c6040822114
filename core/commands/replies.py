"""Answers to an interaction, whichever kind is due, and what people read when something goes wrong."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from typing import Any, TypeVar, cast

import aiohttp
import discord

from core.commands.patience import deferral_settled
from core.database.errors import CommitUnknown, DatabaseBusy, DatabaseUnavailable, StatementTooSlow
from core.errors import UserError
from core.i18n import translate as _

log = logging.getLogger(__name__)

V = TypeVar("V", discord.ui.View, discord.ui.LayoutView, discord.ui.Modal)
AnyInteraction = discord.Interaction[Any]

#: Characters that Discord takes in a message's text.
LONGEST_TEXT = 2_000
#: The first whole number that a column of 64 bits does not hold.
_NUMBERS_END = 2**63
#: What a call to Discord raises when it is refused or does not get through.
UNREACHABLE = (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError)


def shown(view: V) -> V:
    """Return a view that discord.py shows but does not listen to; the component router listens."""
    view.stop()
    return view


async def reply(
    interaction: AnyInteraction,
    content: str | None = None,
    *,
    embed: discord.Embed | None = None,
    embeds: Sequence[discord.Embed] | None = None,
    view: discord.ui.View | discord.ui.LayoutView | None = None,
    file: discord.File | None = None,
    files: Sequence[discord.File] | None = None,
    ephemeral: bool = False,
) -> None:
    """Send the response, or the follow-up when the response is already given.

    :param view: built to be shown, see `shown`.
    :param ephemeral: only the member sees it; after a defer the defer has decided already.
    """
    given = {
        "content": content,
        "embed": embed,
        "embeds": embeds,
        "view": view,
        "file": file,
        "files": files,
    }
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    options["allowed_mentions"] = discord.AllowedMentions.none()
    await deferral_settled(interaction)
    if interaction.response.is_done():
        await interaction.followup.send(**options, ephemeral=ephemeral, wait=True)
    else:
        await interaction.response.send_message(**options, ephemeral=ephemeral)


def selected(interaction: AnyInteraction) -> list[str]:
    """Return the values that were chosen in a select."""
    data = cast(dict[str, Any], interaction.data or {})
    return [str(value) for value in data.get("values", ())]


def outdated() -> UserError:
    """Return the refusal of a component whose message was made by an older version."""
    return UserError(
        _("This message is from an older version of me and no longer works."),
        _("Run the command again to get a fresh one."),
    )


def number_in(key: str) -> int:
    """Return the number that a custom id's key, or a part of it, consists of.

    :raises UserError: it is no number from 0 on that the database could hold.
    """
    if not (key.isascii() and key.isdecimal() and int(key) < _NUMBERS_END):
        raise outdated()
    return int(key)


def modal_values(interaction: AnyInteraction) -> dict[str, str | list[str]]:
    """Return what was entered in a modal, by the custom id of each input."""
    found: dict[str, str | list[str]] = {}
    _collect(cast(dict[str, Any], interaction.data or {}).get("components", ()), found)
    return found


def _collect(components: Sequence[dict[str, Any]], found: dict[str, str | list[str]]) -> None:
    for component in components:
        if "component" in component:
            _collect([component["component"]], found)
        elif "components" in component:
            _collect(component["components"], found)
        elif "custom_id" in component:
            if "values" in component:
                found[component["custom_id"]] = [str(value) for value in component["values"]]
            else:
                value = component.get("value")
                found[component["custom_id"]] = "" if value is None else str(value)


async def refuse(interaction: AnyInteraction, what: str, todo: str = "") -> None:
    """Tell the member, and nobody else, why nothing happened. Autocomplete gets an empty list.

    When Discord does not take that answer, there is nobody left to tell but the log.
    """
    try:
        if interaction.type is not discord.InteractionType.autocomplete:
            words = f"{what} {todo}".strip()
            if len(words) > LONGEST_TEXT:
                words = f"{words[: LONGEST_TEXT - 1]}…"
            await reply(interaction, words, ephemeral=True)
        elif not interaction.response.is_done():
            await interaction.response.autocomplete([])
    except UNREACHABLE as failure:
        log.warning("the answer to an interaction was not taken by Discord: %s", failure)


def _database_words(error: BaseException) -> tuple[str, str] | None:
    """Return what to tell a member of an error that only the database's state caused."""
    match error:
        case DatabaseUnavailable():
            return _("The database is away right now, so nothing was changed."), _("Try again in a minute.")
        case DatabaseBusy():
            return _("I have too much to do right now, so nothing was changed."), _("Try again in a moment.")
        case StatementTooSlow():
            return (
                _("This took too long, so it was stopped and nothing was changed."),
                _("Try again when it is quieter, or with less at once."),
            )
        case CommitUnknown():
            return (
                _("The database went away in the last moment: your change may be stored or not."),
                _("Look whether it is there before you repeat it."),
            )
    return None


async def report(interaction: AnyInteraction, error: BaseException) -> None:
    """Answer a failed interaction: a `UserError` in its words, anything else with a reference number."""
    original = error
    while not isinstance(original, UserError) and isinstance(
        inner := getattr(original, "original", None), BaseException
    ):
        original = inner
    if isinstance(original, UserError):
        await refuse(interaction, original.what, original.todo)
        return
    if (words := _database_words(original)) is not None:
        log.warning("an interaction failed since the database could not serve it: %s", original)
        await refuse(interaction, *words)
        return
    reference = secrets.token_hex(3).upper()
    log.error("interaction failed, reference %s", reference, exc_info=original)
    await refuse(
        interaction,
        _("Something went wrong on our side, and nothing more was changed."),
        _("Please try again; if it happens again, give your admin the reference {reference}.").format(
            reference=reference
        ),
    )
