"""`/setup audit`: who changed what in this server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import discord

from core.commands.audit_words import noted
from core.commands.panels import MOST_TEXT, Interaction, button, fit, panel, rows, show
from core.commands.patience import deferred_if_slow
from core.commands.replies import number_in
from core.commands.setup_ranks import rank_words
from core.guilds.audit import Change, Page, page_of
from core.guilds.ranks import Rank
from core.guilds.settings import usable
from core.guilds.settings_fields import field_of
from core.guilds.settings_text import shown_value
from core.guilds.settings_words import quoted, translated
from core.i18n import plural
from core.i18n import translate as _
from core.manifest import Component
from core.stays.retention import SETTING

if TYPE_CHECKING:
    from pydantic import BaseModel

    from core.context import Context
    from core.runtime import Runtime

#: Single changes that one entry names, and characters of a value.
MOST_NAMED, LONGEST_VALUE = 4, 40


async def audit_panel(
    runtime: Runtime, guild_id: int, number: int, plugin: str | None, actor_id: int | None
) -> discord.ui.LayoutView:
    """Return one page of the log, newest first.

    :param number: of the page, counted from 0.
    :param plugin: only what was done to this plugin.
    :param actor_id: only what this member did.
    """
    page: Page = await runtime.db.read(page_of_kind, guild_id, number, plugin, actor_id)
    about = ["### " + _("Changes in this server")]
    if plugin is not None:
        about.append(_("Only about {name}.").format(name=quoted(plugin)))
    if actor_id is not None:
        about.append(_("Only by {who}.").format(who=f"<@{actor_id}>"))
    lines = [sentence(runtime, change) for change in page.changes]
    if not lines:
        lines = [_("Nothing has been changed yet.")]
    text = fit("\n".join([*about, *lines]), MOST_TEXT)
    if page.pages == 1:
        return panel([text])
    key = f"{plugin or ''}.{actor_id or ''}"
    turn = [
        button(_("Newer"), "audit_newer", f"{page.number - 1}.{key}", disabled=page.number == 0),
        button(_("Older"), "audit_older", f"{page.number + 1}.{key}", disabled=page.number == page.pages - 1),
    ]
    footer = "-# " + _("Page {n} of {all}").format(n=page.number + 1, all=page.pages)
    return panel([f"{text}\n{footer}", *rows(turn)])


def page_of_kind(guild_id: int, number: int, plugin: str | None, actor_id: int | None) -> Page:
    """Return a page of the log; store function."""
    return page_of(guild_id, number, target=plugin, actor_id=actor_id)


async def turn_page(interaction: Interaction, ctx: Context, key: str) -> None:
    """Show another page of the log."""
    number, _dot, rest = key.partition(".")
    plugin, _dot, actor = rest.partition(".")
    async with deferred_if_slow(interaction, ephemeral=True):
        view = await audit_panel(
            ctx.runtime, ctx.guild_id, number_in(number), plugin or None, number_in(actor) if actor else None
        )
    await show(interaction, view)


def audit_components() -> list[Component]:
    """Return the handlers of the log's buttons."""
    return [
        Component(action=action, handler=turn_page, rank="admin") for action in ("audit_newer", "audit_older")
    ]


def sentence(runtime: Runtime, change: Change) -> str:
    """Return one change in words, in a form in which what people typed is no markdown and mentions nobody."""
    when = discord.utils.format_dt(change.at, "f")
    who = _("The bot") if change.actor_id is None else f"<@{change.actor_id}>"
    return f"{when} {_what(runtime, change, who)}"


def _what(runtime: Runtime, change: Change, who: str) -> str:
    loaded = runtime.manager.loaded.get(change.target or "")
    title = f"**{loaded.manifest.title}**" if loaded is not None else quoted(change.target or "")
    match change.action:
        case "plugin.enable":
            return _("{who} switched {plugin} on.").format(who=who, plugin=title)
        case "plugin.disable":
            return _("{who} switched {plugin} off.").format(who=who, plugin=title)
        case "settings.change":
            model = loaded.settings_model if loaded is not None else None
            return _("{who} changed the settings of {plugin}: {changes}").format(
                who=who, plugin=title, changes=_settings(model, change)
            )
        case "ranks.change":
            return _("{who} changed the ranks: {changes}").format(who=who, changes=_ranks(change))
        case "ranks.role_deleted":
            return _("A role was deleted: {changes}").format(changes=_ranks(change))
        case "plugin.export":
            return _("{who} exported the data of {plugin}.").format(who=who, plugin=title)
        case "plugin.purge":
            count = sum(_mapping(_mapping(change.before).get("rows")).values())
            return plural(
                count,
                "{who} deleted the data of {plugin}: {n} row.",
                "{who} deleted the data of {plugin}: {n} rows.",
            ).format(who=who, plugin=title, n=count)
        case "member.export":
            return _("{who} asked for what is kept about {member}.").format(
                who=who, member=quoted(change.target or "")
            )
        case "member.forget":
            return _("{who} had a member forgotten, who is {name} now.").format(
                who=who, name=quoted(change.target or "")
            )
        case "member.forgotten":
            return _("{name} is forgotten everywhere.").format(name=quoted(change.target or ""))
        case "member.forget_waits":
            waits = ", ".join(_mapping(change.after).get("waits_for", ()))
            return _("{name} is not forgotten yet by: {plugins}").format(
                name=quoted(change.target or ""), plugins=waits
            )
        case "voice.retention":
            days = _mapping(change.after).get(SETTING, 0)
            return _("{who} has voice sessions kept for {days}.").format(
                who=who,
                days=plural(days, "{n} day", "{n} days").format(n=days) if days else _("ever"),
            )
        case "voice.void":
            return _("{who} voided a voice session of {member}: {reason}").format(
                who=who,
                member=f"<@{_mapping(change.before).get('user_id', 0)}>",
                reason=quoted(str(_mapping(change.after).get("reason", ""))[:LONGEST_VALUE]),
            )
        case "voice.unvoid":
            return _("{who} lets a voice session of {member} count again.").format(
                who=who, member=f"<@{_mapping(change.after).get('user_id', 0)}>"
            )
        case "seat.problem":
            words = _mapping(change.after).get("words", "")
            return _("I could not sit in voice for {plugin}: {words}").format(plugin=title, words=words)
        case "seat.mended":
            return _("I sit in voice for {plugin} again.").format(plugin=title)
    words = _("{who}: {action} {target}").format(
        who=who, action=quoted(change.action), target=quoted(change.target) if change.target else ""
    )
    if change.before is None and change.after is None:
        return words.strip()
    return f"{words.strip()}: {noted(change.before)} → {noted(change.after)}"


def _settings(model: type[BaseModel] | None, change: Change) -> str:
    before, after = _mapping(change.before), _mapping(change.after)
    parts = []
    for name in [*before, *(each for each in after if each not in before)]:
        field = field_of(model, name) if model is not None else None
        title = fit(translated(field.title), 40) if field is not None else quoted(name, 40)
        parts.append(
            _("{name} from {before} to {after}").format(
                name=title, before=_value(model, name, before), after=_value(model, name, after)
            )
        )
    return _listed(parts)


def _value(model: type[BaseModel] | None, name: str, values: Mapping[str, Any]) -> str:
    """Return a stored value as the panel shows it; one that does not fit its field stands as it is."""
    value = values.get(name)
    field = field_of(model, name) if model is not None else None
    if value is None:
        return _("nothing")
    if model is None or field is None:
        return _json(value)
    read = usable(model, {name: value})
    return _json(value) if read.problems else shown_value(field, getattr(read.values, name))


def _ranks(change: Change) -> str:
    before, after = _mapping(change.before), _mapping(change.after)
    return _listed(
        [f"<@&{role_id}> {_rank(before.get(role_id))} → {_rank(after.get(role_id))}" for role_id in after]
    )


def _rank(value: Any) -> str:
    if value is None:
        return _("no rank")
    return rank_words(Rank(value)) if value in set(Rank) else quoted(value, LONGEST_VALUE)


def _listed(parts: list[str]) -> str:
    words = "; ".join(parts[:MOST_NAMED])
    rest = len(parts) - MOST_NAMED
    return words if rest <= 0 else _("{names} and {n} more").format(names=words, n=rest)


def _mapping(values: Any) -> Mapping[str, Any]:
    return values if isinstance(values, Mapping) else {}


def _json(value: Any) -> str:
    return _("nothing") if value is None else quoted(value, LONGEST_VALUE)
