"""What pydantic refuses of a plugin's settings, in words for the people who set them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ValidationError

from core.guilds.settings_fields import SettingField, bound, field_of
from core.i18n import translate as _
from core.names import clean_name

#: Characters of a value that a message repeats.
LONGEST_QUOTE = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    :param field: its name in the model; empty where several values do not go together.
    :param title: what people call it; empty where several values do not go together.
    :param words: what is wrong, a sentence without its full stop.
    """

    field: str
    title: str
    words: str

    def __str__(self) -> str:
        if not self.title:
            return f"{self.words[:1].upper()}{self.words[1:]}."
        return f"{translated(self.title)}: {self.words}."


def translated(text: str) -> str:
    """Return a title or description of a model in the reader's language."""
    return _(text) if text else text


def quoted(value: object, longest: int = LONGEST_QUOTE) -> str:
    """Return a value as it stands, in a form in which Discord reads no markdown and no mention.

    :param longest: characters; more are cut off.
    """
    text = clean_name(" ⏎ ".join(str(value).replace("`", "ˋ").splitlines()))
    text = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return f"`{text}`"


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Return all that is wrong, one entry for each field."""
    found: dict[str, Problem] = {}
    for each in error.errors(include_url=False):
        name = str(each["loc"][0]) if each["loc"] else ""
        field = field_of(model, name)
        title = field.title if field is not None else name
        found.setdefault(name, Problem(name, title, _words(dict(each), field)))
    return list(found.values())


def _words(each: Mapping[str, Any], field: SettingField | None) -> str:
    context: Mapping[str, Any] = each.get("ctx", {})
    given = quoted(bound(each["input"], field))
    # Of spans of time pydantic tells the bounds in words of its own.
    least, most = (
        own if isinstance(own, timedelta) else context.get(theirs)
        for own, theirs in ((getattr(field, "at_least", None), "ge"), (getattr(field, "at_most", None), "le"))
    )
    match each["type"]:
        case "value_error" | "assertion_error":
            return str(context["error"]).rstrip(".")
        case "extra_forbidden":
            return _("there is no such setting")
        case "missing":
            return _("a value is needed")
        case "greater_than_equal":
            return _("must be at least {bound}, not {given}").format(bound=bound(least, field), given=given)
        case "greater_than":
            return _("must be more than {bound}, not {given}").format(
                bound=bound(context["gt"], field), given=given
            )
        case "less_than_equal":
            return _("must be at most {bound}, not {given}").format(bound=bound(most, field), given=given)
        case "less_than":
            return _("must be less than {bound}, not {given}").format(
                bound=bound(context["lt"], field), given=given
            )
        case "int_parsing" | "int_type" | "int_from_float":
            return _("must be a whole number, not {given}").format(given=given)
        case "float_parsing" | "float_type" | "decimal_parsing" | "decimal_type" | "finite_number":
            return _("must be a number, not {given}").format(given=given)
        case "bool_parsing" | "bool_type":
            return _("must be on or off, not {given}").format(given=given)
        case "enum" | "literal_error":
            choices = ", ".join(field.choices) if field is not None and field.choices else context["expected"]
            return _("must be one of {choices}, not {given}").format(choices=choices, given=given)
        case "string_too_short":
            return _("must have at least {n} characters").format(n=context["min_length"])
        case "string_too_long":
            return _("must have at most {n} characters").format(n=context["max_length"])
        case "too_short":
            return _("needs at least {n} values").format(n=context["min_length"])
        case "too_long":
            return _("takes at most {n} values, not {given}").format(
                n=context["max_length"], given=context["actual_length"]
            )
        case _:
            message = str(each["msg"])
            return _("{words}, not {given}").format(words=f"{message[:1].lower()}{message[1:]}", given=given)
