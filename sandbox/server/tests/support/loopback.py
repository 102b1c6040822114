"""A real discord.py bot on a sandbox, for the tests of the server itself."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands
from support.hanging_up import hang_up_all

from sandbox.server import Person, Refused, SandboxServer, World
from sandbox.server.channels import Channel
from sandbox.server.guilds import Guild


@dataclass(slots=True)
class Place:
    """The world, its server, and what is in its one guild."""

    world: World
    server: SandboxServer
    guild: Guild
    text: Channel
    dispatch: Channel
    alpha: Channel
    quartz: Person
    beryl: Person


class Form(discord.ui.Modal, title="Quantities"):
    """A form with one text field."""

    quantity: discord.ui.TextInput[Form] = discord.ui.TextInput(
        label="Quantity", custom_id="quantity", max_length=5
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        if interaction.message is not None:
            await interaction.response.edit_message(content=f"got {self.quantity.value}")
        else:
            await interaction.response.send_message(f"noted {self.quantity.value}")


class Panel(discord.ui.View):
    """A button that opens the form, one that is disabled, and a select menu."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="Enter", custom_id="enter")
    async def enter(self, interaction: discord.Interaction, button: discord.ui.Button[Panel]) -> None:
        await interaction.response.send_modal(Form())

    @discord.ui.button(label="Never", custom_id="never", disabled=True)
    async def never(self, interaction: discord.Interaction, button: discord.ui.Button[Panel]) -> None:
        raise AssertionError("a disabled button was pressed")

    @discord.ui.select(
        custom_id="ore", options=[discord.SelectOption(label=name) for name in ("quantanium", "gold")]
    )
    async def ore(self, interaction: discord.Interaction, select: discord.ui.Select[Panel]) -> None:
        await interaction.response.defer()
        await interaction.followup.send(f"chose {select.values[0]}", ephemeral=True)


def drill() -> app_commands.Group:
    """Return a group of commands that answer in each of the ways there are."""
    group = app_commands.Group(name="drill", description="Drill")

    @group.command(name="start", description="Answer at once")
    async def start(
        interaction: discord.Interaction,
        crew: app_commands.Range[int, 1, 10],
        channel: discord.VoiceChannel | None = None,
        pilot: discord.Member | None = None,
    ) -> None:
        words = f"{crew} in {channel} with {pilot.name if pilot else None}"
        await interaction.response.send_message(words, view=Panel(), ephemeral=True)

    @group.command(name="report", description="Answer later, with a file")
    async def report(interaction: discord.Interaction, ore: str) -> None:
        await interaction.response.defer()
        embed = discord.Embed(title="Report").set_image(url="attachment://a.png")
        files = [discord.File(io.BytesIO(b"ore;1"), "a.csv"), discord.File(io.BytesIO(b"png"), "a.png")]
        await interaction.edit_original_response(content=ore, attachments=files, embed=embed)
        await interaction.followup.send("that is all")

    @report.autocomplete("ore")
    async def ores(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=current + each, value=current + each) for each in ("1", "2")]

    @group.command(name="form", description="Open a form")
    async def form(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Form())

    @group.command(name="silent", description="Never answer")
    async def silent(interaction: discord.Interaction) -> None:
        return

    @group.command(name="panel", description="Components V2")
    async def panel(interaction: discord.Interaction) -> None:
        view = discord.ui.LayoutView(timeout=None)
        view.add_item(discord.ui.Container(discord.ui.TextDisplay("Ore"), discord.ui.Separator()))
        await interaction.response.send_message(view=view)

    return group


class LoopbackBot(commands.Bot):
    """A bot whose every connection goes to a sandbox's unix socket."""

    def __init__(self, server: SandboxServer, **options: Any) -> None:
        socket = server.addresses.socket
        assert socket is not None
        options.setdefault("intents", discord.Intents.all())
        super().__init__(
            "!",
            connector=aiohttp.UnixConnector(path=socket, limit=0),
            guild_ready_timeout=0.05,
            **options,
        )
        self.heard: list[tuple[str, Any]] = []
        self.count: Counter[str] = Counter()
        self._changed = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Skip discord.py's wait of 5 s before a second identify."""

    def dispatch(self, event_name: str, /, *args: Any, **kwargs: Any) -> None:
        """Count every event on its way."""
        super().dispatch(event_name, *args, **kwargs)
        self.count[event_name] += 1
        if event_name == "voice_state_update":
            member, before, _ = args
            self.heard.append((member.name, before.channel and before.channel.name))
        self._changed.set()

    async def until(self, event: str, times: int = 1, timeout: float = 60.0) -> None:
        """Wait until an event came that often. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while self.count[event] < times:
                self._changed.clear()
                await self._changed.wait()

    async def begin(self, token: str) -> None:
        """Log in and wait until ready. Raises what logging in raises."""
        self._running = asyncio.create_task(self.start(token))
        ready = asyncio.create_task(self.until("ready"))
        await asyncio.wait({self._running, ready}, return_when=asyncio.FIRST_COMPLETED)
        if self._running.done():
            ready.cancel()
            await self._running
        await ready

    async def end(self) -> None:
        """Log out and wait for it."""
        await hang_up_all(self)
        await self.close()
        if self._running is not None:
            await asyncio.gather(self._running, return_exceptions=True)


async def eventually(condition: Callable[[], Any], timeout: float = 60.0) -> Any:
    """Return the first true value of a condition on what tells nobody when it changes, such as a cache."""
    async with asyncio.timeout(timeout):
        while not (value := condition()):  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        return value


async def refused(awaitable: Awaitable[Any]) -> str:
    """Return the words of the Refused that an act ends in."""
    try:
        await awaitable
    except Refused as error:
        return str(error)
    raise AssertionError("it was not refused")
