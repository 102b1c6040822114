"""What the gateway itself says of voice states, beside what discord.py's cache makes of it.

discord.py shows a channel that is not in its cache as none, which looks like leaving, and says nothing at all
of a member of whom neither cache nor payload know anything. Its table of parsers is the one place where the
payload can be had in the tick in which it arrives.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

log = logging.getLogger(__name__)

EVENT = "VOICE_STATE_UPDATE"
Payload = Mapping[str, Any]


class RawStates:
    """Listens beside discord.py's own parser of voice states.

    :param parsers: discord.py's parsers by event; ours takes the place of one and calls it.
    :param knows: says whether the cache has a channel of a guild, by their ids.
    :param unheard: called with a payload of which discord.py said nothing; must not wait.
    """

    def __init__(
        self,
        parsers: MutableMapping[str, Callable[[Any], Any]],
        knows: Callable[[int, int], bool],
        unheard: Callable[[Payload], None],
    ) -> None:
        self._parse = parsers[EVENT]
        self._knows = knows
        self._unheard = unheard
        self._said: Payload | None = None
        self._heard = self._shown = False
        self._elsewhere: dict[int, dict[int, Payload]] = {}
        parsers[EVENT] = self._take

    def heard(self, shown: int | None) -> int | None:
        """Return the channel that the payload of this tick names, and note that discord.py told of it.

        :param shown: the channel in which discord.py shows the member, if any.
        """
        self._heard, self._shown = True, shown is not None
        return shown if shown is not None or self._said is None else _id(self._said, "channel_id")

    def elsewhere(self, guild_id: int) -> Mapping[int, Payload]:
        """Return the last states of those who sit in channels that the cache does not know, by user id."""
        return self._elsewhere.get(guild_id, {})

    def forget(self, guild_id: int) -> None:
        """Forget who sits where in a guild: Discord says it all anew, or the guild is gone."""
        self._elsewhere.pop(guild_id, None)

    def forget_member(self, guild_id: int, user_id: int) -> None:
        """Forget where a member sits, who has left the guild."""
        there = self._elsewhere.get(guild_id)
        if there is None:
            return
        there.pop(user_id, None)
        if not there:
            del self._elsewhere[guild_id]

    def forget_where(self, gone: Callable[[int], bool]) -> None:
        """Forget all guilds for whose id `gone` is true."""
        for guild_id in [each for each in self._elsewhere if gone(each)]:
            self.forget(guild_id)

    def _take(self, data: Payload) -> None:
        self._said, self._heard, self._shown = data, False, False
        try:
            self._parse(data)
        finally:
            self._said = None
            # As nearly always, in a channel that the cache knows, and nobody to be forgotten elsewhere.
            if not self._shown or self._elsewhere:
                self._look_closer(data, heard=self._heard)

    def _look_closer(self, data: Payload, *, heard: bool) -> None:
        try:
            self._note(data)
            if not heard:
                self._unheard(data)
        except Exception:
            log.exception("a voice state could not be taken")

    def _note(self, data: Payload) -> None:
        guild_id, channel_id = _id(data, "guild_id"), _id(data, "channel_id")
        if guild_id is None:
            return
        user_id = int(data["user_id"])
        if channel_id is not None and not self._knows(guild_id, channel_id):
            self._elsewhere.setdefault(guild_id, {})[user_id] = data
        else:
            self.forget_member(guild_id, user_id)


def _id(data: Payload, name: str) -> int | None:
    value = data.get(name)
    return None if value is None else int(value)
