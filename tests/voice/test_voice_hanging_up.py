"""Nothing of a voice connection outlives the seat: no heartbeat thread and no task, whatever happens."""

from __future__ import annotations

import asyncio
import gc
import inspect
import threading
from collections.abc import Callable
from pathlib import Path

import discord
import pytest
from discord.gateway import DiscordVoiceWebSocket, VoiceKeepAliveHandler
from discord.voice_state import SocketReader, VoiceConnectionState
from support.voice_leftovers import held

from core.voice.hanging_up import READ_FROM
from sandbox.server.faults import Faults
from sandbox.stage import Stage, open_stage

BREAKS: dict[str, Callable[[Faults], object]] = {
    "nothing": lambda faults: None,
    "the gateway is down": lambda faults: faults.drop_gateway(hold_seconds=3600),
    "the session is lost": lambda faults: faults.invalid_session(),
    "the voice session is lost": lambda faults: faults.voice.close(4006),
    "the voice server crashed": lambda faults: faults.voice.close(4015),
    "put out of voice": lambda faults: faults.voice.close(4014),
    "another region is looked for": lambda faults: faults.voice.change_region(after_seconds=60),
}


#: What core/voice/hanging_up.py and core/voice/connection.py use of discord.py without being invited.
PRIVATE: dict[type, set[str]] = {
    VoiceConnectionState: {
        "soft_disconnect",
        "_create_socket",
        "_runner",
        "_connector",
        "_socket_reader",
        "_state_event",
    },
    SocketReader: {"stop", "resume", "join", "_end"},
    discord.VoiceClient: {"create_connection_state", "_connection", "ws", "cleanup"},
    DiscordVoiceWebSocket: {"_connection", "loop", "close", "poll_event", "_keep_alive"},
    VoiceKeepAliveHandler: {"ws", "stop"},
}


def test_discord_py_is_the_version_that_was_read() -> None:
    assert discord.__version__ == READ_FROM, (
        f"discord.py is {discord.__version__} now, and what ends its voice connections was read from "
        f"{READ_FROM}. Read discord/voice_state.py and the voice part of discord/gateway.py again, compare "
        "with core/voice/hanging_up.py and core/voice/connection.py, run make soak, then change READ_FROM."
    )


@pytest.mark.parametrize("owner", PRIVATE, ids=lambda owner: owner.__name__)
def test_the_private_names_are_there(owner: type) -> None:
    source = inspect.getsource(owner)
    own = {name for name in PRIVATE[owner] if f"self.{name}" in source or hasattr(owner, name)}
    assert own == PRIVATE[owner]


def left_behind() -> list[str]:
    """What discord.py still runs for voice."""
    loop = asyncio.get_running_loop()
    threads = [
        each.name
        for each in threading.enumerate()
        if (isinstance(each, VoiceKeepAliveHandler) and each.ws.loop is loop)
        or (isinstance(each, SocketReader) and each.state.voice_client.loop is loop)
    ]
    tasks = [each.get_name() for each in asyncio.all_tasks() if "voice" in each.get_name().lower()]
    return threads + tasks


async def seated(stage: Stage) -> None:
    await stage.start_bot()
    guild_id = stage.scene.guild.id
    await stage.runtime.seats.claim(guild_id, stage.scene.voice_channels[0].id, "operation 1")
    await stage.runtime.seats.settled(guild_id)
    assert stage.runtime.seats.status(guild_id).seated


# Stopped while it opens its gateway again, discord.py drops that websocket's object without closing it. Its
# socket is closed with the session, which the count of sockets shows.
@pytest.mark.filterwarnings("ignore:Unclosed connection:ResourceWarning")
@pytest.mark.parametrize("how", ["closed", "killed"])
@pytest.mark.parametrize("what", BREAKS)
async def test_nothing_is_left_behind(tmp_path: Path, what: str, how: str) -> None:
    before = held()
    async with open_stage(f"sqlite:///{tmp_path / 'bot.sqlite3'}", members=3) as stage:
        await seated(stage)
        stage.world.faults.voice.clear()
        BREAKS[what](stage.world.faults)
        # Some turns of the loop: the client hears of it, and is in the middle of mending it.
        for _ in range(20):
            await asyncio.sleep(0)
        await (stage.kill_bot() if how == "killed" else stage.stop_bot())
        assert left_behind() == []
    gc.collect()
    assert held().sockets <= before.sockets


async def test_a_lost_process_says_nothing_of_its_seat(tmp_path: Path) -> None:
    async with open_stage(f"sqlite:///{tmp_path / 'bot.sqlite3'}", members=3) as stage:
        await seated(stage)
        said = [
            entry
            for entry in stage.world.log
            if entry["kind"] == "gateway" and entry["direction"] == "in" and entry["op"] == 4
        ]
        asked = len(said)
        stage.world.log.on_entry(said.append)
        await stage.kill_bot()
        assert asked == 1
        ops = [
            entry["op"] for entry in said[asked:] if entry["kind"] == "gateway" and entry["direction"] == "in"
        ]
        assert 4 not in ops
