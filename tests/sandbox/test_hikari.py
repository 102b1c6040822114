"""A client that others wrote, unchanged but for its address: what it asks for, this Discord has to give."""

from __future__ import annotations

import asyncio
from typing import Any

import hikari
from support.sandbox_process import sandbox_process

WAIT = 60.0


async def test_hikari_logs_in_hears_voice_answers_and_resumes() -> None:
    async with sandbox_process() as sandbox:
        bot = hikari.GatewayBot(
            sandbox.token,
            rest_url=sandbox.rest,
            intents=hikari.Intents.ALL,
            banner=None,
            logs=None,
            suppress_optimization_warning=True,
        )
        voice: asyncio.Queue[hikari.VoiceState] = asyncio.Queue()
        guilds: dict[int, hikari.GatewayGuild] = {}
        seen, resumed = asyncio.Event(), asyncio.Event()

        @bot.listen(hikari.GuildAvailableEvent)
        async def _guild(event: hikari.GuildAvailableEvent) -> None:
            guilds[event.guild.id] = event.guild
            if len(guilds) == len(sandbox.guilds):
                seen.set()

        @bot.listen(hikari.VoiceStateUpdateEvent)
        async def _voice(event: hikari.VoiceStateUpdateEvent) -> None:
            voice.put_nowait(event.state)

        @bot.listen(hikari.ShardResumedEvent)
        async def _resumed(event: hikari.ShardResumedEvent) -> None:
            resumed.set()

        @bot.listen(hikari.CommandInteractionCreateEvent)
        async def _command(event: hikari.CommandInteractionCreateEvent) -> None:
            options = event.interaction.options or ()
            await event.interaction.create_initial_response(
                hikari.ResponseType.MESSAGE_CREATE, f"{event.interaction.command_name} {options[0].value}"
            )

        await bot.start(check_for_updates=False)
        try:
            await asyncio.wait_for(seen.wait(), WAIT)
            ember = (await sandbox.get("/guilds"))[0]
            known = guilds[int(ember["id"])]
            assert known.name == "Ember Prospectors"
            assert {str(one) for one in bot.cache.get_members_view_for_guild(known.id)} == _ids(
                ember["members"]
            )
            assert {str(one) for one in bot.cache.get_guild_channels_view_for_guild(known.id)} == _ids(
                ember["channels"]
            )
            quartz = next(one for one in ember["members"] if one["username"] == "quartz")
            dispatch, alpha = (_channel(ember, name) for name in ("Dispatch", "Alpha"))
            act = f"/guilds/{ember['id']}/members/{quartz['id']}"

            await sandbox.post(f"{act}/voice", {"channel_id": dispatch})
            state = await asyncio.wait_for(voice.get(), WAIT)
            assert (str(state.user_id), str(state.channel_id)) == (quartz["id"], dispatch)
            assert state.member is not None

            await _add_command(bot, sandbox.application_id, ember["id"])
            outcome = await sandbox.post(
                f"{act}/slash",
                {"channel_id": _channel(ember, "mining-ops"), "command": "echo", "options": {"word": "ore"}},
            )
            assert (outcome["kind"], outcome["message"]["content"]) == ("message", "echo ore")

            dropped = await sandbox.post("/faults", {"kind": "drop_gateway"})
            assert dropped["connections"] == 1
            await sandbox.post(f"{act}/voice", {"channel_id": alpha})
            await asyncio.wait_for(resumed.wait(), WAIT)
            missed = await asyncio.wait_for(voice.get(), WAIT)
            assert str(missed.channel_id) == alpha
        finally:
            await bot.close()


async def _add_command(bot: hikari.GatewayBot, application_id: str, guild_id: str) -> None:
    word = hikari.CommandOption(
        type=hikari.OptionType.STRING, name="word", description="What to say", is_required=True
    )
    echo = bot.rest.slash_command_builder("echo", "Say it again").add_option(word)
    await bot.rest.set_application_commands(int(application_id), [echo], guild=int(guild_id))


def _ids(listed: list[dict[str, Any]]) -> set[str]:
    return {one["id"] for one in listed}


def _channel(guild: dict[str, Any], name: str) -> str:
    return next(one["id"] for one in guild["channels"] if one["name"] == name)
