"""The limits of a whole message: text, embeds, components, attachments, poll, mentions."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sandbox.server.limits.components import check_components
from sandbox.server.limits.embeds import check_embeds
from sandbox.server.limits.scalars import MENTIONS, check_flag, check_id, check_kinds
from sandbox.server.limits.violation import EMPTY_MESSAGE, Path, Report, Violation

MAX_CONTENT = 2000
MAX_FILES = 10
IS_COMPONENTS_V2 = 1 << 15
_FORWARD = 1
_CONTENTS = ("content", "embeds", "components", "attachments")
_LEGACY = ("content", "embeds", "poll", "sticker_ids")


def check_message(
    body: Any, *, files: Collection[str] = (), editing: bool = False, v2: bool = False
) -> list[Violation]:
    """Check the body that creates or edits a message against Discord's written limits.

    `files` are the names of the files that come along (when editing, also of those already there);
    `editing` allows bodies that name only what changes; `v2` says that the message being edited has
    the V2 flag already. Returns every violation, an empty list for a good body.
    """
    report = Report()
    check_message_parts(report, (), body, files, editing=editing, v2=v2)
    return report.violations


def check_message_parts(
    report: Report, path: Path, body: Any, files: Collection[str], *, editing: bool, v2: bool = False
) -> None:
    """Check a message that lies at `path` of a larger body, as in an interaction callback."""
    message = report.mapping(path, body)
    if message is None:
        if body is None:
            report.add(path, EMPTY_MESSAGE, "Cannot send an empty message")
        return
    flags = report.number((*path, "flags"), message.get("flags"), 0, 2**31 - 1) or 0
    v2 = v2 or bool(flags & IS_COMPONENTS_V2)
    if v2:
        _refuse_legacy(report, path, message)
    content = report.text((*path, "content"), message.get("content"), 0, MAX_CONTENT)
    names = {*files, *_attachment_names(report, path, message)}
    if len(files) > MAX_FILES and not editing:
        report.add((*path, "attachments"), "BASE_TYPE_MAX_LENGTH", f"Must be {MAX_FILES} or fewer in length.")
    check_embeds(report, (*path, "embeds"), message.get("embeds"), names)
    check_components(report, (*path, "components"), message.get("components"), names, v2=v2)
    _check_poll(report, (*path, "poll"), message.get("poll"))
    _check_mentions(report, (*path, "allowed_mentions"), message.get("allowed_mentions"))
    _check_reference(report, (*path, "message_reference"), message.get("message_reference"))
    check_flag(report, (*path, "tts"), message.get("tts"))
    stickers = message.get("sticker_ids")
    if isinstance(stickers, list) and len(stickers) > 3:
        report.add((*path, "sticker_ids"), "BASE_TYPE_MAX_LENGTH", "Must be 3 or fewer in length.")
    if isinstance(message.get("nonce"), str):
        report.text((*path, "nonce"), message["nonce"], 0, 25)
    blank = content is None or not content.strip()
    if _is_empty(message, files, blank=blank, editing=editing):
        report.add(path, EMPTY_MESSAGE, "Cannot send an empty message")


def _is_empty(message: dict[str, Any], files: Collection[str], *, blank: bool, editing: bool) -> bool:
    reference = message.get("message_reference")
    if isinstance(reference, dict) and reference.get("type") == _FORWARD:
        return False
    if (
        files
        or not blank
        or any(message.get(name) for name in ("embeds", "components", "poll", "sticker_ids"))
    ):
        return False
    if editing:
        # What an edit leaves unnamed stays as it is, so only an edit that clears everything empties it.
        return all(name in message for name in _CONTENTS) and not message.get("attachments")
    return True


def _refuse_legacy(report: Report, path: Path, message: dict[str, Any]) -> None:
    for name in _LEGACY:
        if message.get(name):
            report.add(
                (*path, name),
                "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
            )


def _attachment_names(report: Report, path: Path, message: dict[str, Any]) -> set[str]:
    where = (*path, "attachments")
    names: set[str] = set()
    for index, one in enumerate(report.items(where, message.get("attachments"), 0, MAX_FILES)):
        check_id(report, (*where, index, "id"), one.get("id"), required=True)
        report.text((*where, index, "description"), one.get("description"), 0, 1024)
        name = report.text((*where, index, "filename"), one.get("filename"), 0, 1024)
        if name:
            names.add(name)
    return names


def _check_poll(report: Report, path: Path, value: Any) -> None:
    poll = report.mapping(path, value)
    if poll is None:
        return
    question = report.mapping((*path, "question"), poll.get("question"), required=True)
    if question is not None:
        report.text((*path, "question", "text"), question.get("text"), 1, 300, required=True)
    answers = report.items((*path, "answers"), poll.get("answers"), 1, 10, required=True)
    for index, answer in enumerate(answers):
        here = (*path, "answers", index, "poll_media")
        media = report.mapping(here, answer.get("poll_media"), required=True)
        if media is not None:
            report.text((*here, "text"), media.get("text"), 1, 55)
    report.number((*path, "duration"), poll.get("duration"), 1, 768)


def _check_mentions(report: Report, path: Path, value: Any) -> None:
    mentions = report.mapping(path, value)
    if mentions is None:
        return
    parse = mentions.get("parse") or []
    check_kinds(report, (*path, "parse"), mentions.get("parse"), MENTIONS)
    check_flag(report, (*path, "replied_user"), mentions.get("replied_user"))
    for name in ("users", "roles"):
        listed = mentions.get(name) or []
        if not isinstance(listed, list):
            report.add((*path, name), "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType.")
        elif len(listed) > 100:
            report.add((*path, name), "BASE_TYPE_MAX_LENGTH", "Must be 100 or fewer in length.")
        elif any(isinstance(each, bool) or not str(each).isdigit() for each in listed):
            for index, each in enumerate(listed):
                check_id(report, (*path, name, index), each, required=True)
        elif len({str(each) for each in listed}) != len(listed):
            report.add(
                (*path, name), "SET_TYPE_ALREADY_CONTAINS_VALUE", "The set already contains this value"
            )
        elif listed and isinstance(parse, list) and name in parse:
            report.add(
                path,
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                f'parse:["{name}"] and {name}: [ids...] are mutually exclusive.',
            )


def _check_reference(report: Report, path: Path, value: Any) -> None:
    reference = report.mapping(path, value)
    if reference is None:
        return
    kind = reference.get("type")
    if kind not in (None, 0, _FORWARD) or isinstance(kind, bool):
        report.choice((*path, "type"), kind, (0, _FORWARD))
    check_id(report, (*path, "message_id"), reference.get("message_id"), required=True)
    check_id(report, (*path, "channel_id"), reference.get("channel_id"), required=kind == _FORWARD)
