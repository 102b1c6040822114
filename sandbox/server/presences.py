"""Who is online and what they are doing, as they say it themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.server.errors import Refused
from sandbox.server.snowflake import milliseconds

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild
    from sandbox.server.world import World

Json = dict[str, Any]
OFFLINE = "offline"
STATUSES = ("online", "idle", "dnd", "invisible", OFFLINE)
_KINDS = range(6)
_KEPT = ("name", "type", "url", "state", "details")


@dataclass(frozen=True, slots=True)
class Presence:
    """What others see of an account; ``client`` is desktop, mobile or web."""

    status: str
    activities: tuple[Json, ...] = ()
    client: str = "desktop"


class PresenceRoom:
    """The presences of all accounts; who never said anything is offline."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_user: dict[int, Presence] = {}

    def set(
        self, user_id: int, status: str, activities: Iterable[Json] = (), *, client: str = "desktop"
    ) -> None:
        """Show an account with a status and activities, and tell every guild that it is in.

        To be invisible is to be offline for everybody else. Raises Refused for another status or an
        activity that Discord does not know.
        """
        if status not in STATUSES:
            raise Refused(f"a status is one of {', '.join(STATUSES)}, not {status!r}")
        shown = OFFLINE if status == "invisible" else status
        doing = () if shown == OFFLINE else tuple(self._activity(each) for each in activities)
        before = self._by_user.get(user_id)
        if not doing and before == Presence(shown, doing, client):
            return
        self._by_user[user_id] = Presence(shown, doing, client)
        for guild in self._world.guilds.values():
            if user_id in guild.members and self._world.bot_user.id in guild.members:
                data = self.payload(user_id) | {"guild_id": str(guild.id)}
                self._world.hub.dispatch("PRESENCE_UPDATE", data, guild_id=guild.id)

    def of_bot(self, data: Any) -> None:
        """Take what the bot says of itself, by op 3 or with IDENTIFY. Raises ValueError when it cannot be."""
        activities = data.get("activities") or []
        if not isinstance(activities, list):
            raise ValueError("activities is a list")
        try:
            self.set(self._world.bot_user.id, data["status"], activities, client="web")
        except Refused as error:
            raise ValueError(str(error)) from error

    def status(self, user_id: int) -> str:
        """Return an account's status as others see it."""
        found = self._by_user.get(user_id)
        return found.status if found else OFFLINE

    def payload(self, user_id: int) -> Json:
        """Return a presence as it stands in a guild or an event, but for the event's guild_id."""
        found = self._by_user.get(user_id, Presence(OFFLINE))
        return {
            "user": {"id": str(user_id)},
            "status": found.status,
            "activities": [dict(each) for each in found.activities],
            "client_status": {} if found.status == OFFLINE else {found.client: found.status},
        }

    def of_guild(self, guild: Guild, users: Collection[int] | None = None) -> list[Json]:
        """Return the presences of the members (of ``users``, if given) who are not offline."""
        return [
            self.payload(user_id)
            for user_id in self._by_user
            if user_id in guild.members
            and (users is None or user_id in users)
            and self.status(user_id) != OFFLINE
        ]

    def _activity(self, given: Json) -> Json:
        if not isinstance(given, dict) or not isinstance(given.get("name"), str) or not given["name"]:
            raise Refused("an activity has a name")
        kind = given.get("type", 0)
        if type(kind) is not int or kind not in _KINDS:
            raise Refused(f"an activity's type is 0 to 5, not {kind!r}")
        kept = {name: given[name] for name in _KEPT if given.get(name) is not None}
        now = milliseconds(self._world.clock.now())
        return kept | {"type": kind, "id": f"{self._world.mint.next():x}", "created_at": now}
