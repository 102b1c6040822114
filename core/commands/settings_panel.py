"""The panel of a plugin's settings: every field with its value, buttons to change and to reset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord

from core.commands.panels import MOST_TEXT, button, fit, panel, rows
from core.commands.settings_form import PER_FORM, fits_form, key_of
from core.guilds.settings import Stored, usable
from core.guilds.settings_fields import SettingField, fields_of
from core.guilds.settings_text import as_typed, shown_value
from core.guilds.settings_words import quoted, translated
from core.i18n import translate as _

#: Fields of one page; with their buttons they stay below Discord's 40 parts of a message.
PER_PAGE = 2 * PER_FORM
#: Problems that the panel names.
MOST_PROBLEMS = 3


def page_with(stored: Stored, name: str) -> int:
    """Return the number of the page that a field stands on, 0 for a field that is not there."""
    names = [field.name for field in fields_of(type(stored.values))]
    return names.index(name) // PER_PAGE if name in names else 0


def settings_panel(
    plugin: str, title: str, stored: Stored, page: int = 0, note: str = ""
) -> discord.ui.LayoutView:
    """Return one page of the panel.

    :param title: the plugin's, as people know it.
    :param page: counted from 0; one beyond the end is the last one.
    :param note: what has just happened, a sentence.
    """
    fields = fields_of(type(stored.values))
    pages = max(1, -(-len(fields) // PER_PAGE))
    page = min(max(page, 0), pages - 1)
    here = fields[page * PER_PAGE : (page + 1) * PER_PAGE]
    heading = "\n".join(
        ["### " + _("Settings of {title}").format(title=title), *_warning(stored), *([note] if note else [])]
    )
    texts = [_line(stored, field, explained=True) for field in here]
    if len(heading) + sum(map(len, texts)) > MOST_TEXT:
        texts = [_line(stored, field, explained=False) for field in here]
    items: list[discord.ui.Item[Any] | str] = [heading]
    items += [_item(plugin, stored, field, text) for field, text in zip(here, texts, strict=True)]
    items += rows(_edit_buttons(plugin, page, here))
    turn = []
    if pages > 1:
        turn = [
            button(_("Back"), "set_page", f"{plugin}.{page - 1}", disabled=page == 0),
            button(_("Further"), "set_page", f"{plugin}.{page + 1}", disabled=page == pages - 1),
        ]
    if any(not problem.field for problem in stored.problems):
        turn.append(button(_("Forget what cannot be used"), "set_reset", f"{plugin}."))
    return panel([*items, *rows(turn)])


def _warning(stored: Stored) -> list[str]:
    if not stored.problems:
        return []
    # Said again in the reader's language: those that are kept were found when the guild was loaded.
    problems = usable(type(stored.values), stored.raw).problems
    words = [f"- {problem}" for problem in problems[:MOST_PROBLEMS]]
    lead = _("⚠️ Something that is stored cannot be used. Until you save, the defaults stand in for it:")
    return [lead, *words]


def _line(stored: Stored, field: SettingField, *, explained: bool) -> str:
    text = f"**{fit(translated(field.title), 50)}**: {shown_value(field, getattr(stored.values, field.name))}"
    if field.name in stored.own:
        text += " " + _("(default: {value})").format(value=shown_value(field, field.default))
    if field.name in stored.wrong:
        text += "\n" + _("⚠️ Stored, but not usable: {value}").format(value=quoted(stored.raw[field.name], 40))
    if not fits_form(as_typed(field, getattr(stored.values, field.name))):
        text += "\n" + _("It is too long for a form of Discord's; it can only be reset here.")
    if explained and field.description:
        text += f"\n-# {fit(translated(field.description), 160)}"
    return text


def _item(plugin: str, stored: Stored, field: SettingField, text: str) -> discord.ui.Item[Any]:
    if field.name in stored.own or field.name in stored.wrong:
        reset = button(_("Reset"), "set_reset", f"{plugin}.{key_of(field.name)}")
        return discord.ui.Section(text, accessory=reset)
    return discord.ui.TextDisplay(text)


def _edit_buttons(plugin: str, page: int, here: Sequence[SettingField]) -> list[discord.ui.Button[Any]]:
    buttons = []
    for start in range(0, len(here), PER_FORM):
        titles = ", ".join(translated(field.title) for field in here[start : start + PER_FORM])
        number = (page * PER_PAGE + start) // PER_FORM
        buttons.append(
            button(
                _("Edit: {names}").format(names=titles),
                "set_edit",
                f"{plugin}.{number}",
                style=discord.ButtonStyle.primary,
            )
        )
    return buttons
