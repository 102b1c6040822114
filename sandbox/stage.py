"""Our bot on a Discord on loopback, with a clock that is stepped: for tests, the demo and plugin authors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any

from core.runtime import Runtime
from core.settings import PluginSelection, Settings
from sandbox.link import open_link
from sandbox.server import Outcome, Person, SandboxServer, World, WorldClock
from sandbox.server.channels import Channel
from sandbox.stories import Scene, sunday

#: The plugins of this distribution and what is on by default, as in plugins.toml.
OWN_PLUGINS = PluginSelection(
    load=("market", "operations", "sunday_mining", "payroll"), on_by_default=("sunday_mining", "payroll")
)


class Stage:
    """A scene in a sandbox, and a bot that can be started, stopped and lost on it.

    :param scene: the guilds, channels and people.
    :param server: the sandbox, started.
    :param settings: of the bot.
    """

    def __init__(self, scene: Scene, server: SandboxServer, settings: Settings) -> None:
        self.scene = scene
        self.world: World = scene.world
        self.server = server
        self.settings = settings
        self._bot: tuple[Runtime, AsyncExitStack] | None = None

    @property
    def runtime(self) -> Runtime:
        """Return the running bot.

        :raises RuntimeError: none is running.
        """
        if self._bot is None:
            raise RuntimeError("no bot is running on this stage; await stage.start_bot() first")
        return self._bot[0]

    async def start_bot(self) -> Runtime:
        """Start the bot and return once it is ready and idle."""
        stack = AsyncExitStack()
        try:
            link = await stack.enter_async_context(open_link(self.server.addresses.control))
            runtime = Runtime(self.settings, link.connection)
            stack.push_async_callback(runtime.close)
            await runtime.start()
        except BaseException:
            await stack.aclose()
            raise
        self._bot = (runtime, stack)
        await self.settle()
        return runtime

    async def stop_bot(self) -> None:
        """Stop the bot in order, as SIGTERM does."""
        if self._bot is not None:
            (_, stack), self._bot = self._bot, None
            await stack.aclose()

    async def kill_bot(self) -> None:
        """Lose the bot's process state: what was committed stays, nothing is said or tidied."""
        if self._bot is not None:
            await self._bot[0].kill()
            await self.stop_bot()

    async def settle(self) -> None:
        """Return once everything that has happened so far is done with, without moving the time."""
        await self.world.clock.advance(0)

    async def advance(self, seconds: float) -> None:
        """Move the time on by sandbox seconds, everything due on the way done in order."""
        await self.world.clock.advance(seconds)

    async def slash(
        self,
        person: Person,
        command: str,
        options: Mapping[str, Any] | None = None,
        *,
        channel: Channel | None = None,
    ) -> Outcome:
        """Run a slash command as a person and return what the bot said once all is settled.

        :param command: its words, such as "mining channels add".
        :param channel: where; #mining-ops of the person's guild by default.
        """
        outcome = await person.slash(
            command, channel=channel or self._text_of(person), options=dict(options or {})
        )
        await self.settle()
        return outcome

    def _text_of(self, person: Person) -> Channel:
        if person.guild.id == self.scene.second_guild.id:
            return self.scene.second.text
        return self.scene.text


@asynccontextmanager
async def open_stage(
    database_url: str,
    *,
    plugins: PluginSelection = OWN_PLUGINS,
    start: datetime | None = None,
    members: int = 24,
    channels: int = 7,
    seed: int = 0,
    page: bool = False,
) -> AsyncIterator[Stage]:
    """Set the Sunday scene on a fresh sandbox; the bot is not started yet.

    :param database_url: of the bot's database; it is migrated when the bot starts.
    :param plugins: what the bot loads, and what is on in a guild from the first.
    :param start: the sandbox's time; the machine's by default.
    :param seed: of everything random in the scene.
    :param page: whether the sandbox serves its web page, at `stage.server.addresses.page`.
    """
    world = World(clock=WorldClock(start), seed=seed, bot_name="red-legion")
    scene = sunday(world, members=members, channels=channels, seed=seed)
    server = SandboxServer(world, page=page)
    await server.start()
    stage = Stage(scene, server, Settings(database_url=database_url, plugins=plugins))
    try:
        yield stage
    finally:
        await stage.stop_bot()
        await server.close()
