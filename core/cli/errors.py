"""What the errors of Discord, the network and the database mean to an operator, one sentence each."""

from __future__ import annotations

from core.errors import StartupError

_PORTAL = "https://discord.com/developers/applications"


def sentence_for(error: BaseException) -> StartupError | None:
    """Return what `error` means to the operator of the bot, None when it is nothing we know.

    :param error: whatever ended the command; the errors that it groups or was raised from are looked at too.
    """
    # Imported here: only a process that failed pays for it, and most commands never need discord.py.
    import aiohttp
    import discord

    from core.database.errors import DatabaseUnavailable, MigrationFailed

    for one in _unwrapped(error):
        match one:
            case StartupError():
                return one
            case MigrationFailed():
                return StartupError(f"A migration failed and was rolled back, nothing of it was kept: {one}")
            case DatabaseUnavailable():
                return StartupError(
                    "The database stopped answering: look whether it is running, then start again."
                )
            case discord.PrivilegedIntentsRequired():
                return StartupError(
                    "Discord refused the intents that the plugins need: open "
                    f"{_PORTAL}, choose the application, Bot, and switch on Server Members Intent "
                    "(and Message Content Intent where a plugin asks for it)."
                )
            case discord.LoginFailure():
                return StartupError(
                    "Discord does not accept DISCORD_TOKEN: copy the bot's token again from "
                    f"{_PORTAL} (the application, Bot, Reset Token) into .env."
                )
            case discord.ConnectionClosed(code=4014):
                return sentence_for(discord.PrivilegedIntentsRequired(one.shard_id))
            case discord.GatewayNotFound():
                return StartupError(
                    "Discord's gateway cannot be found at the moment: try again in a few minutes."
                )
            case discord.HTTPException(status=429):
                return StartupError(
                    "Discord limits this address for now: wait some minutes before the next start."
                )
            case discord.DiscordServerError():
                return StartupError(
                    "Discord has a problem of its own at the moment: look at https://discordstatus.com "
                    "and try again later."
                )
            case aiohttp.ClientConnectorError():
                return StartupError(
                    f"{one.host} cannot be reached: check the network, the firewall and the proxy of "
                    "this machine."
                )
    return None


def _unwrapped(error: BaseException) -> list[BaseException]:
    """Return `error`, then those inside it if it is a group, then its causes."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or any(one is seen for seen in found):
            continue
        found.append(one)
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
        waiting.append(one.__cause__)
    return found
