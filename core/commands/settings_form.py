"""The form for up to five settings, made from the plugin's model.

The form's own id carries a mark of what each input held when it was opened. What comes back unchanged is left
alone, so two admins who change different settings of one form at one time both have their way.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import discord

from core.commands.panels import fit
from core.commands.replies import shown
from core.commands.table import CORE
from core.guilds.settings import Stored
from core.guilds.settings_fields import Kind, SettingField, fields_of, range_words
from core.guilds.settings_text import OFF, ON, Typed, as_typed
from core.guilds.settings_words import translated
from core.i18n import translate as _
from core.manifest import custom_id

#: Inputs that Discord takes in one form.
PER_FORM = 5
#: Characters that Discord takes in one input, and values in one menu.
LONGEST, MOST = 4_000, 25
#: Characters of one mark: 48 bits.
MARK = 8
#: Characters of a number or a span of time.
SHORT = 60
_LONG_NAME = 40


def key_of(name: str) -> str:
    """Return what stands for a field in a custom id: its name, or a mark where that is long."""
    return name if len(name) <= _LONG_NAME else mark_of(name)


def mark_of(typed: Typed) -> str:
    """Return the mark of what an input holds; line ends and blanks around it do not matter."""
    plain = typed.replace("\r\n", "\n").strip() if isinstance(typed, str) else sorted(typed)
    digest = hashlib.sha256(json.dumps(plain).encode()).digest()
    return base64.urlsafe_b64encode(digest)[:MARK].decode()


def marks_of(typed: Mapping[str, Typed]) -> str:
    """Return the marks of all inputs, in their order."""
    return "".join(mark_of(each) for each in typed.values())


def changes_in(typed: Mapping[str, Typed], marks: str) -> dict[str, Typed]:
    """Return the inputs that do not hold any more what they held when the form was opened.

    :param typed: what came back, by field, in the order of the form.
    :param marks: of what they held, see `marks_of`.
    """
    held = [marks[start : start + MARK] for start in range(0, len(marks), MARK)]
    return {
        name: each for (name, each), mark in zip(typed.items(), held, strict=True) if mark_of(each) != mark
    }


def held(stored: Stored, fields: Sequence[SettingField], guild: discord.Guild | None) -> dict[str, Typed]:
    """Return what the inputs hold when a form is opened; what does not fit into an input is left out."""
    found: dict[str, Typed] = {}
    for field in fields:
        typed = as_typed(field, getattr(stored.values, field.name))
        if field.kind in (Kind.ROLE, Kind.CHANNEL) and guild is not None:
            there = guild.get_role if field.kind is Kind.ROLE else guild.get_channel_or_thread
            typed = [each for each in typed if there(int(each)) is not None]
        if fits_form(typed):
            found[field.name] = typed
    return found


def fits_form(typed: Typed) -> bool:
    """Say whether an input has room for a value."""
    return len(typed) <= (LONGEST if isinstance(typed, str) else MOST)


def settings_form(
    plugin: str, title: str, stored: Stored, typed: Mapping[str, Typed], marks: str
) -> discord.ui.Modal:
    """Return the form.

    :param title: the plugin's, as people know it.
    :param typed: what stands in the inputs, by field, at most five.
    :param marks: of what they held when the first of such forms was opened, see `marks_of`.
    """
    modal = discord.ui.Modal(
        title=fit(_("Settings of {title}").format(title=title), 45),
        custom_id=custom_id(CORE, "set_save", f"{plugin}.{marks}"),
        timeout=None,
    )
    for field in fields_of(type(stored.values)):
        if field.name in typed:
            modal.add_item(
                discord.ui.Label(
                    text=fit(translated(field.title), 45),
                    description=fit(translated(field.description), 100) or None,
                    component=_input(field, typed[field.name]),
                )
            )
    return shown(modal)


def _input(field: SettingField, typed: Typed) -> discord.ui.Item[Any]:
    if isinstance(typed, str):
        return _text_input(field, typed)
    least = 0 if field.optional else field.least or 0 if field.many else 1
    options: dict[str, Any] = {
        "custom_id": key_of(field.name),
        "min_values": least,
        "max_values": min(field.most or MOST, MOST) if field.many else 1,
        "required": least > 0,
    }
    match field.kind:
        case Kind.ROLE:
            defaults = [
                discord.SelectDefaultValue(id=int(each), type=discord.SelectDefaultValueType.role)
                for each in typed
            ]
            return discord.ui.RoleSelect(default_values=defaults, **options)
        case Kind.CHANNEL:
            defaults = [
                discord.SelectDefaultValue(id=int(each), type=discord.SelectDefaultValueType.channel)
                for each in typed
            ]
            types = [discord.ChannelType[kind] for kind in field.channel_kinds]
            return discord.ui.ChannelSelect(default_values=defaults, channel_types=types, **options)
        case Kind.FLAG:
            words = {ON: _("On"), OFF: _("Off")}
        case _:
            words = {each: translated(each) for each in field.choices}
    options["max_values"] = min(options["max_values"], len(words))
    return discord.ui.Select(
        options=[
            discord.SelectOption(label=fit(label, 100), value=value, default=value in typed)
            for value, label in words.items()
        ],
        **options,
    )


def _text_input(field: SettingField, typed: str) -> discord.ui.Item[Any]:
    several_lines = field.many or field.kind is Kind.JSON or (field.longest or 0) > 200 or "\n" in typed
    longest = field.longest if field.kind is Kind.TEXT and not field.many else None
    if field.kind in (Kind.WHOLE, Kind.RATE, Kind.NUMBER, Kind.DURATION) and not field.many:
        longest = SHORT
    return discord.ui.TextInput(
        custom_id=key_of(field.name),
        style=discord.TextStyle.paragraph if several_lines else discord.TextStyle.short,
        default=typed or None,
        placeholder=fit(_hint(field), 100) or None,
        required=not (field.optional or field.many or (field.kind is Kind.TEXT and not field.least)),
        max_length=min(max(longest or LONGEST, len(typed)), LONGEST),
    )


def _hint(field: SettingField) -> str:
    """Return what an empty input says about what goes into it."""
    one = _plain_hint(field)
    if not field.many:
        return one
    return _("One per line: {hint}").format(hint=one) if one else _("One per line")


def _plain_hint(field: SettingField) -> str:
    match field.kind:
        case Kind.WHOLE | Kind.NUMBER | Kind.RATE:
            return range_words(field)
        case Kind.DURATION:
            limits = range_words(field)
            return _("1 h 30 min") if not limits else _("1 h 30 min; {range}").format(range=limits)
        case Kind.CHOICE:
            return ", ".join(field.choices)
        case Kind.JSON:
            return '{"name": 1}'
        case Kind.TEXT if isinstance(field.default, str):
            return field.default
    return ""
