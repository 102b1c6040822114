"""Each written limit of what a guild has: one body just inside it, one just outside."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.server.limits import (
    Violation,
    check_ban,
    check_bulk_ban,
    check_channel,
    check_command_permissions,
    check_emoji,
    check_event,
    check_guild,
    check_invite,
    check_member,
    check_overwrite,
    check_role,
    check_shown_name,
    check_thread,
    check_webhook,
)

NOW = datetime(2026, 3, 1, 18, tzinfo=UTC)
LATER = (NOW + timedelta(hours=1)).isoformat()
PICTURE = "data:image/png;base64," + base64.b64encode(b"x").decode()
LARGE = "data:image/png;base64," + base64.b64encode(bytes(256 * 1024 + 1)).decode()
EVENT = {"name": "n", "privacy_level": 2, "entity_type": 2, "scheduled_start_time": LATER, "channel_id": "1"}

Check = Callable[[Any], list[Violation]]


def channel(kind: int = 0) -> Check:
    return lambda body: check_channel(body, kind, creating=True)


def event(body: Any) -> list[Violation]:
    return check_event({**EVENT, **body}, int({**EVENT, **body}["entity_type"]), NOW, creating=True)


def outside(**more: Any) -> dict[str, Any]:
    return {
        "entity_type": 3,
        "channel_id": None,
        "scheduled_end_time": (NOW + timedelta(hours=2)).isoformat(),
        "entity_metadata": {"location": "Orison"},
        **more,
    }


# what is checked, by what: (a good body, a bad one, the code and the path of the violation)
LIMITS: dict[str, tuple[Check, Any, Any, str, tuple[str | int, ...]]] = {
    "guild name": (check_guild, {"name": "ab"}, {"name": "a"}, "BASE_TYPE_BAD_LENGTH", ("name",)),
    "guild afk": (
        check_guild, {"afk_timeout": 900}, {"afk_timeout": 5}, "BASE_TYPE_CHOICES", ("afk_timeout",),
    ),
    "guild level": (
        check_guild, {"verification_level": 4}, {"verification_level": 5}, "BASE_TYPE_CHOICES",
        ("verification_level",),
    ),
    "guild channel": (
        check_guild, {"afk_channel_id": "1"}, {"afk_channel_id": "x"}, "NUMBER_TYPE_COERCE",
        ("afk_channel_id",)
    ),
    "role name": (check_role, {"name": "n" * 100}, {"name": "n" * 101}, "BASE_TYPE_BAD_LENGTH", ("name",)),
    "role colour": (check_role, {"color": 0xFFFFFF}, {"color": 0x1000000}, "NUMBER_TYPE_MAX", ("color",)),
    "role bits": (
        check_role, {"permissions": "8"}, {"permissions": "all"}, "NUMBER_TYPE_COERCE", ("permissions",),
    ),
    "role hoist": (check_role, {"hoist": True}, {"hoist": "yes"}, "BOOLEAN_TYPE_CONVERT", ("hoist",)),
    "channel name": (channel(), {"name": "n" * 100}, {"name": "n" * 101}, "BASE_TYPE_BAD_LENGTH", ("name",)),
    "channel without name": (channel(), {"name": "n"}, {}, "BASE_TYPE_REQUIRED", ("name",)),
    "channel type": (
        channel(), {"name": "n", "type": 15}, {"name": "n", "type": 3}, "BASE_TYPE_CHOICES", ("type",)
    ),
    "channel topic": (
        channel(), {"name": "n", "topic": "t" * 1024}, {"name": "n", "topic": "t" * 1025},
        "BASE_TYPE_MAX_LENGTH", ("topic",),
    ),
    "forum topic": (
        channel(15), {"name": "n", "topic": "t" * 4096}, {"name": "n", "topic": "t" * 4097},
        "BASE_TYPE_MAX_LENGTH", ("topic",),
    ),
    "channel slowmode": (
        channel(), {"name": "n", "rate_limit_per_user": 21_600}, {"name": "n", "rate_limit_per_user": 21_601},
        "NUMBER_TYPE_MAX", ("rate_limit_per_user",),
    ),
    "channel seats": (
        channel(2), {"name": "n", "user_limit": 99}, {"name": "n", "user_limit": 100}, "NUMBER_TYPE_MAX",
        ("user_limit",),
    ),
    "stage seats": (
        channel(13), {"name": "n", "user_limit": 10_000}, {"name": "n", "user_limit": 10_001},
        "NUMBER_TYPE_MAX",
        ("user_limit",),
    ),
    "channel bitrate": (
        channel(2), {"name": "n", "bitrate": 8_000}, {"name": "n", "bitrate": 7_999}, "NUMBER_TYPE_MIN",
        ("bitrate",),
    ),
    "forum order": (
        channel(15), {"name": "n", "default_sort_order": 1}, {"name": "n", "default_sort_order": 2},
        "BASE_TYPE_CHOICES", ("default_sort_order",),
    ),
    "forum reaction": (
        channel(15), {"name": "n", "default_reaction_emoji": {"emoji_name": "👍"}},
        {"name": "n", "default_reaction_emoji": "👍"}, "DICT_TYPE_CONVERT", ("default_reaction_emoji",),
    ),
    "channel archiving": (
        channel(), {"name": "n", "default_auto_archive_duration": 60},
        {"name": "n", "default_auto_archive_duration": 61}, "BASE_TYPE_CHOICES",
        ("default_auto_archive_duration",),
    ),
    "channel overwrites": (
        channel(), {"name": "n", "permission_overwrites": [{"id": "1", "type": 0}]},
        {"name": "n", "permission_overwrites": [{"id": "1", "type": 2}]}, "BASE_TYPE_CHOICES",
        ("permission_overwrites", 0, "type"),
    ),
    "forum tags": (
        channel(15), {"name": "n", "available_tags": [{"name": "t" * 20}] * 20},
        {"name": "n", "available_tags": [{"name": "t"}] * 21}, "BASE_TYPE_MAX_LENGTH", ("available_tags",),
    ),
    "forum tag name": (
        channel(15), {"name": "n", "available_tags": [{"name": "t"}]},
        {"name": "n", "available_tags": [{"name": "t" * 21}]}, "BASE_TYPE_MAX_LENGTH",
        ("available_tags", 0, "name"),
    ),
    "overwrite type": (check_overwrite, {"type": 1}, {"allow": "1"}, "BASE_TYPE_REQUIRED", ("type",)),
    "overwrite bits": (
        check_overwrite, {"type": 1, "deny": 8}, {"type": 1, "deny": -8}, "NUMBER_TYPE_COERCE", ("deny",)
    ),
    "thread name": (
        lambda body: check_thread(body, creating=True), {"name": "n" * 100}, {"name": ""},
        "BASE_TYPE_REQUIRED",
        ("name",),
    ),
    "thread archiving": (
        check_thread, {"auto_archive_duration": 10_080}, {"auto_archive_duration": 1}, "BASE_TYPE_CHOICES",
        ("auto_archive_duration",),
    ),
    "thread tags": (
        check_thread, {"applied_tags": ["1"] * 5}, {"applied_tags": ["1"] * 6}, "BASE_TYPE_MAX_LENGTH",
        ("applied_tags",),
    ),
    "emoji name": (check_emoji, {"name": "au_1"}, {"name": "a"}, "BASE_TYPE_BAD_LENGTH", ("name",)),
    "emoji letters": (check_emoji, {"name": "gold"}, {"name": "go ld"}, "STRING_TYPE_REGEX", ("name",)),
    "emoji picture": (
        lambda body: check_emoji(body, creating=True), {"name": "au", "image": PICTURE},
        {"name": "au", "image": "x"}, "IMAGE_INVALID", ("image",),
    ),
    "emoji size": (
        lambda body: check_emoji(body, creating=True), {"name": "au", "image": PICTURE},
        {"name": "au", "image": LARGE}, "BINARY_TYPE_MAX_SIZE", ("image",),
    ),
    "nick": (
        lambda body: check_member(body, NOW), {"nick": "n" * 32}, {"nick": "n" * 33}, "BASE_TYPE_MAX_LENGTH",
        ("nick",),
    ),
    "member roles": (
        lambda body: check_member(body, NOW), {"roles": ["1", 2]}, {"roles": ["1", "x"]},
        "NUMBER_TYPE_COERCE",
        ("roles", 1),
    ),
    "timeout": (
        lambda body: check_member(body, NOW),
        {"communication_disabled_until": (NOW + timedelta(days=28)).isoformat()},
        {"communication_disabled_until": (NOW + timedelta(days=28, seconds=1)).isoformat()},
        "DATE_TIME_TYPE_MAX", ("communication_disabled_until",),
    ),
    "timeout words": (
        lambda body: check_member(body, NOW), {"communication_disabled_until": None},
        {"communication_disabled_until": "soon"}, "DATE_TIME_TYPE_PARSE", ("communication_disabled_until",),
    ),
    "ban seconds": (
        check_ban, {"delete_message_seconds": 604_800}, {"delete_message_seconds": 604_801},
        "NUMBER_TYPE_MAX",
        ("delete_message_seconds",),
    ),
    "ban days": (
        check_ban, {"delete_message_days": 7}, {"delete_message_days": 8}, "NUMBER_TYPE_MAX",
        ("delete_message_days",),
    ),
    "bulk ban": (
        check_bulk_ban, {"user_ids": ["1"] * 200}, {"user_ids": ["1"] * 201}, "BASE_TYPE_BAD_LENGTH",
        ("user_ids",),
    ),
    "webhook name": (
        check_webhook, {"name": "n" * 80}, {"name": "n" * 81}, "BASE_TYPE_BAD_LENGTH", ("name",),
    ),
    "webhook called Clyde": (
        check_webhook, {"name": "Cly"}, {"name": "my Clyde"}, "USERNAME_INVALID_CONTAINS", ("name",)
    ),
    "message under Discord's name": (
        check_shown_name, {"username": "Disc"}, {"username": "DISCORD"}, "USERNAME_INVALID_CONTAINS",
        ("username",),
    ),
    "invite age": (check_invite, {"max_age": 0}, {"max_age": -1}, "NUMBER_TYPE_MIN", ("max_age",)),
    "invite uses": (check_invite, {"max_uses": 100}, {"max_uses": 101}, "NUMBER_TYPE_MAX", ("max_uses",)),
    "event name": (event, {"name": "n" * 100}, {"name": "n" * 101}, "BASE_TYPE_BAD_LENGTH", ("name",)),
    "event in the past": (
        event, {}, {"scheduled_start_time": NOW.isoformat()}, "GUILD_SCHEDULED_EVENT_SCHEDULE_PAST",
        ("scheduled_start_time",),
    ),
    "event end": (
        event, {}, {"scheduled_end_time": LATER}, "GUILD_SCHEDULED_EVENT_SCHEDULE_END_BEFORE_START",
        ("scheduled_end_time",),
    ),
    "event without channel": (event, {}, {"channel_id": None}, "BASE_TYPE_REQUIRED", ("channel_id",)),
    "event elsewhere without end": (
        event, outside(), outside(scheduled_end_time=None), "BASE_TYPE_REQUIRED", ("scheduled_end_time",)
    ),
    "event nowhere": (
        event, outside(), outside(entity_metadata=None), "BASE_TYPE_REQUIRED", ("entity_metadata",)
    ),
    "event location": (
        event, outside(), outside(entity_metadata={"location": "l" * 101}), "BASE_TYPE_BAD_LENGTH",
        ("entity_metadata", "location"),
    ),
    "event in public": (event, {}, {"privacy_level": 1}, "BASE_TYPE_CHOICES", ("privacy_level",)),
    "command permissions": (
        check_command_permissions, {"permissions": [{"id": "1", "type": 3, "permission": False}]},
        {"permissions": [{"id": "1", "type": 4, "permission": False}]}, "BASE_TYPE_CHOICES",
        ("permissions", 0, "type"),
    ),
    "no command permissions": (
        check_command_permissions, {"permissions": []}, {}, "BASE_TYPE_REQUIRED", ("permissions",)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LIMITS)
def test_limit(name: str) -> None:
    check, good, bad, code, path = LIMITS[name]
    assert check(good) == []
    found = check(bad)
    assert (code, path) in {(one.code, one.path) for one in found}, [str(one) for one in found]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 60) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["name", "id", "type", "permissions", "roles", "available_tags", "user_ids",
        "max_age",
                         "entity_metadata", "location", "permission_overwrites", "image", "username"]),
        inner,
        max_size=4,
    ),
    max_leaves=15,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(_JSON)
def test_no_body_however_odd_makes_a_check_fail(body: Any) -> None:
    for check in (check_guild, check_role, check_overwrite, check_thread, check_emoji, check_ban,
    check_bulk_ban,
                  check_webhook, check_shown_name, check_invite, check_command_permissions,
                  channel()):  # fmt: skip
        check(body)
    check_member(body, NOW)
    check_event(body, 3, NOW, creating=True)
