"""A modal filled in by a person: checked, and turned into what the bot receives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.server import components as parts
from sandbox.server.errors import Refused
from sandbox.server.options import Resolved, as_id

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild

Json = dict[str, Any]
_MANY = parts.SELECTS | {parts.CHECKBOX_GROUP, parts.FILE_UPLOAD}


def fill(
    guild: Guild, user_id: int, modal: Json, values: dict[str, Any], *, direct: bool = False
) -> tuple[list[Json], Json]:
    """Return the components of a modal's submission and its ``resolved``.

    ``values`` maps custom ids to text, a choice, a list of choices, or true/false. Raises Refused for an
    unknown field, a required one left out, a text too short or long, a choice that is not there.
    """
    fields = {part["custom_id"]: part for part in parts.walk(modal["components"]) if part.get("custom_id")}
    for name in values:
        if name not in fields:
            raise Refused(f"the form has no field {name}; its fields are: {', '.join(fields) or 'none'}")
    resolved = Resolved(guild, direct=direct)
    answered: list[Json] = []
    for part in modal["components"]:
        body: Json = {"type": part["type"], "id": part["id"]}
        if part["type"] == parts.ROW:
            body["components"] = [
                _field(guild, user_id, each, values, resolved) for each in part["components"]
            ]
        elif part["type"] == parts.LABEL:
            body["component"] = _field(guild, user_id, part["component"], values, resolved)
        answered.append(body)
    return answered, resolved.body()


def _field(guild: Guild, user_id: int, part: Json, values: dict[str, Any], resolved: Resolved) -> Json:
    name, kind = part["custom_id"], part["type"]
    given = values.get(name)
    body: Json = {"type": kind, "id": part["id"], "custom_id": name}
    if kind == parts.TEXT_INPUT:
        body["value"] = _text(part, given)
    elif kind == parts.CHECKBOX:
        if given is not None and not isinstance(given, bool):
            raise Refused(f"field {name} takes true or false, not {given!r}")
        body["value"] = bool(part.get("default")) if given is None else given
    elif kind == parts.RADIO_GROUP:
        body["value"] = _radio(part, given)
    elif kind in _MANY:
        body["values"] = chosen(guild, user_id, part, preset(part) if given is None else given, resolved)
    else:
        raise Refused(f"field {name} is of a kind ({kind}) that people cannot fill in here")
    return body


def _text(part: Json, given: Any) -> str:
    name = part["custom_id"]
    text = part.get("value") or "" if given is None else given
    if not isinstance(text, str):
        raise Refused(f"field {name} takes text, not {given!r}")
    if not text:
        if part.get("required", True):
            raise Refused(f"field {name} is required")
        return text
    low, high = part.get("min_length") or 0, part.get("max_length") or 4000
    if not low <= len(text) <= high:
        raise Refused(f"field {name} takes {low} to {high} characters, not {len(text)}")
    return text


def _radio(part: Json, given: Any) -> str | None:
    name = part["custom_id"]
    if given is None:
        given = next(iter(preset(part)), None)
    if given is None:
        if part.get("required", True):
            raise Refused(f"field {name} is required")
        return None
    if given not in {option["value"] for option in part["options"]}:
        raise Refused(f"field {name} has no choice {given!r}")
    return str(given)


def preset(part: Json) -> list[Any]:
    """Return the values that a field or select menu holds before anybody touches it."""
    preset = [option["value"] for option in part.get("options") or [] if option.get("default")]
    return preset or [each["id"] for each in part.get("default_values") or []]


def chosen(guild: Guild, user_id: int, part: Json, given: Any, resolved: Resolved) -> list[str]:
    """Return the values picked in a select, group of checkboxes or upload, checked. Raises Refused."""
    name, kind = part["custom_id"], part["type"]
    picked = list(given) if isinstance(given, (list, tuple)) and not _is_file(given) else [given]
    group = kind == parts.CHECKBOX_GROUP
    optional = part.get("required") is False
    low = part.get("min_values")
    low = (0 if optional else 1) if low is None else low
    high = part.get("max_values")
    high = (len(part.get("options") or []) if group else 1) if high is None else high
    if not (low <= len(picked) <= high or (optional and not picked)):
        raise Refused(f"{name} takes {low} to {high} choices, not {len(picked)}")
    if kind == parts.FILE_UPLOAD:
        stored = [guild.world.uploads.take(each) for each in picked]
        for one in stored:
            resolved.attachment(one)
        return [str(one.id) for one in stored]
    if len({str(each) for each in picked}) != len(picked):
        raise Refused(f"{name} was given the same choice twice")
    if kind in {parts.STRING_SELECT, parts.CHECKBOX_GROUP}:
        offered = [option["value"] for option in part["options"]]
        for each in picked:
            if each not in offered:
                raise Refused(f"{name} has no choice {each!r}; it has: {', '.join(offered)}")
        return [str(each) for each in picked]
    ids = [as_id(each, name) for each in picked]
    for some_id in ids:
        if kind == parts.USER_SELECT:
            resolved.user(some_id)
        elif kind == parts.ROLE_SELECT:
            resolved.role(some_id)
        elif kind == parts.CHANNEL_SELECT:
            resolved.channel(some_id, user_id, part.get("channel_types"))
        else:
            resolved.mentionable(some_id)
    return [str(each) for each in ids]


def _is_file(given: Any) -> bool:
    return isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], bytes)
