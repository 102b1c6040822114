"""`/privacy`: what is kept about a member, all of it as a file, and how to be forgotten."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from core.commands.panels import MOST_TEXT, Interaction, button, fit, panel, place_of, rows, show
from core.commands.patience import deferred_if_slow
from core.commands.replies import number_in, reply
from core.errors import UserError
from core.guilds import audit
from core.guilds.ranks import Rank, requires
from core.guilds.settings_words import quoted
from core.i18n import plural
from core.i18n import translate as _
from core.manifest import Component
from core.privacy.files import TooLarge, files_of
from core.privacy.handing_out import member_data

if TYPE_CHECKING:
    from core.context import Context
    from core.privacy.forgetting import Kept
    from core.runtime import Runtime

CONFIRM = "privacy_forget"
#: Files that one export may be split into.
MOST_FILES = 20
#: Real seconds for which the one who confirmed is made to wait for the end of it.
WAIT = 5.0
_MOST_DIGITS = 19


def build_privacy_group() -> app_commands.Group:
    """Return a fresh `/privacy` group."""
    group = app_commands.Group(
        name="privacy", description="What I keep about you in this server", guild_only=True
    )

    @group.command(name="about", description="Show what I and each feature keep about members, and why")
    @requires("guest")
    async def about(interaction: Interaction) -> None:
        runtime, _guild_id = place_of(interaction)
        await reply(interaction, view=panel([about_text(runtime)]), ephemeral=True)

    @group.command(name="export", description="Get all that I keep about you in this server, as a file")
    @requires("guest")
    @app_commands.describe(
        member="Whose data; only admins may ask for somebody else's",
        user_id="The same by id, for somebody who has left",
    )
    async def export(
        interaction: Interaction, member: discord.User | None = None, user_id: str | None = None
    ) -> None:
        await hand_out(interaction, whom(interaction, member, user_id))

    @group.command(name="forget", description="Have me forget you in this server; I ask before I do it")
    @requires("guest")
    @app_commands.describe(
        member="Whom; only admins may have me forget somebody else",
        user_id="The same by id, for somebody who has left",
    )
    async def forget(
        interaction: Interaction, member: discord.User | None = None, user_id: str | None = None
    ) -> None:
        await ask(interaction, whom(interaction, member, user_id))

    return group


def privacy_components() -> list[Component]:
    """Return the handler of the button that `/privacy forget` shows."""
    return [Component(CONFIRM, confirmed, Rank.GUEST)]


def whom(interaction: Interaction, member: discord.abc.User | None, typed: str | None) -> int:
    """Return the id of the member that a command is about.

    :param typed: an id as somebody wrote it, or a mention.
    :raises UserError: it is no id, the two differ, or it is somebody else and this is no admin.
    """
    chosen = None if member is None else member.id
    if typed is not None:
        digits = typed.strip().removeprefix("<@").removeprefix("!").removesuffix(">")
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS) or (
            int(digits) >= 2**63
        ):
            raise UserError(
                _("{text} is no user id.").format(text=quoted(typed)),
                _("Write the number that Discord shows as “Copy User ID”."),
            )
        if chosen is not None and chosen != int(digits):
            raise UserError(_("member and user_id name two people."), _("Give one of them."))
        chosen = int(digits)
    if chosen is None:
        return interaction.user.id
    _refuse_others(interaction, chosen)
    return chosen


def _refuse_others(interaction: Interaction, user_id: int) -> None:
    runtime, guild_id = place_of(interaction)
    held = runtime.guilds.rank_of(guild_id, interaction.user, interaction.permissions)
    if user_id != interaction.user.id and held is not Rank.ADMIN:
        raise UserError(
            _("This is about somebody else."),
            _("You can do it for yourself; for others an admin of this server can."),
        )


def about_text(runtime: Runtime) -> str:
    """Return in words what the core and every loaded plugin keep."""
    core = _(
        "**The bot itself**: your name as last seen; when you sat in which voice channel, where a feature "
        "records voice; and what you changed with its commands."
    )
    lines = ["### " + _("What is kept about members"), core]
    lines += [
        f"**{discord.utils.escape_markdown(loaded.manifest.title)}**: "
        + discord.utils.escape_markdown(_(loaded.manifest.personal_data))
        for loaded in runtime.manager.loaded.values()
    ]
    lines += ["-# " + _("/privacy export gives you all of it; /privacy forget has me forget you.")]
    return fit("\n".join(lines), MOST_TEXT)


async def hand_out(interaction: Interaction, user_id: int) -> None:
    """Answer with all that is kept about a member, as files.

    :raises UserError: it is too much for Discord.
    """
    runtime, guild_id = place_of(interaction)
    async with deferred_if_slow(interaction, ephemeral=True):
        found = await member_data(runtime, guild_id, user_id, own=user_id == interaction.user.id)
        files = as_files(f"privacy-{user_id}", found.document)
        if user_id != interaction.user.id:
            await runtime.db.write(
                audit.record,
                guild_id,
                interaction.user.id,
                "member.export",
                str(user_id),
                None,
                None,
                runtime.clock.now(),
                key=guild_id,
            )
    if found.failed or found.unloaded or found.silent:
        text = _("This is not all that I keep about <@{user}> in this server.").format(user=user_id)
    else:
        text = _("This is all that I keep about <@{user}> in this server.").format(user=user_id)
    for title in found.silent:
        text += "\n" + _(
            "⚠️ {title} keeps rows about <@{user}> but cannot hand them out. An admin can, with /plugins "
            "export."
        ).format(title=discord.utils.escape_markdown(title), user=user_id)
    if found.failed:
        text += "\n" + _(
            "⚠️ Missing, as they failed: {names}. Try again in a minute, or tell an admin."
        ).format(names=", ".join(found.failed))
    if found.unloaded:
        text += "\n" + _(
            "⚠️ Missing, as they are not loaded: {names}. Whoever runs me can load them again."
        ).format(names=", ".join(found.unloaded))
    await send_files(interaction, fit(text, 2_000), files)


def as_files(stem: str, document: Any) -> list[tuple[str, bytes]]:
    """Return a document as files that Discord takes.

    :raises UserError: there would be too many of them, or a single value is too large.
    """
    try:
        files = files_of(stem, document)
    except TooLarge:
        files = []
    if not 0 < len(files) <= MOST_FILES:
        raise UserError(
            _("This is too much for Discord's files."),
            _("Whoever runs me can give it to you from a backup: `redlegion backup`."),
        )
    return files


async def send_files(interaction: Interaction, text: str, files: list[tuple[str, bytes]]) -> None:
    """Answer privately with files, one a message."""
    for number, (name, content) in enumerate(files):
        file = discord.File(io.BytesIO(content), filename=name)
        await reply(interaction, text if number == 0 else None, file=file, ephemeral=True)


async def ask(interaction: Interaction, user_id: int) -> None:
    """Say what would be erased and what stays, and ask whether to do it.

    :raises UserError: there is nothing to forget, or something is going on.
    """
    runtime, guild_id = place_of(interaction)
    async with deferred_if_slow(interaction, ephemeral=True):
        await runtime.names.close()
        kept = await runtime.forgetter.kept(guild_id, user_id, own=user_id == interaction.user.id)
        if kept.nothing:
            raise UserError(
                _("I keep nothing about <@{user}> in this server.").format(user=user_id),
                _("There is nothing to forget."),
            )
        await runtime.forgetter.refuse_if_busy(guild_id, user_id)
    own = user_id == interaction.user.id
    label = _("Forget me") if own else _("Forget this member")
    press = button(label, CONFIRM, user_id, style=discord.ButtonStyle.danger)
    await reply(
        interaction,
        view=panel([fit(forget_text(runtime, user_id, kept), MOST_TEXT), *rows([press])]),
        ephemeral=True,
    )


def forget_text(runtime: Runtime, user_id: int, kept: Kept) -> str:
    """Return in words what is erased, what stays, and what is out of reach."""
    core = []
    if n := kept.core.get("voice_sessions", 0):
        core.append(plural(n, "{n} voice session", "{n} voice sessions").format(n=n))
    if n := kept.core.get("audit_log", 0):
        core.append(plural(n, "{n} entry of the change log", "{n} entries of the change log").format(n=n))
    loaded = runtime.manager.loaded
    plugins = [
        _("{title}: {n}").format(title=loaded[name].manifest.title, n=n) for name, n in kept.plugins.items()
    ]
    lines = [
        "### " + _("Forget <@{user}> in this server?").format(user=user_id),
        _("**Erased**: the name and the id, wherever I keep them here. They are in:"),
        "- " + (", ".join(core) or _("the list of members")),
        *(f"- {line}" for line in plugins),
        _(
            "**Stays**: times, ore and money, as those of “former member” with a number, so that no sum of "
            "anybody changes."
        ),
        _(
            "**Out of my reach**: messages and files that were posted in Discord. Other servers keep what "
            "they know."
        ),
    ]
    if kept.under_way:
        lines.append(_("⏳ This is under way already; I can try again at once what has failed so far."))
    if kept.unloaded:
        names = ", ".join(kept.unloaded)
        lines.append(
            _(
                "⚠️ Not loaded, and with data about this member: {names}. I forget them there as soon as "
                "whoever runs me loads it again."
            ).format(names=names)
        )
    lines.append(_("This cannot be undone. Whoever uses me again is written down again."))
    return "\n".join(lines)


async def confirmed(interaction: Interaction, ctx: Context, key: str) -> None:
    """Forget a member: the button of `/privacy forget`.

    :param key: the member's id.
    :raises UserError: it is about somebody else and this is no admin, or something is going on.
    """
    runtime, user_id = ctx.runtime, number_in(key)
    _refuse_others(interaction, user_id)
    async with deferred_if_slow(interaction, ephemeral=True):
        await runtime.forgetter.refuse_if_busy(ctx.guild_id, user_id)
        waits = await runtime.forgetter.begin(ctx.guild_id, user_id, interaction.user.id, WAIT)
    if waits is None:
        text = _("⏳ This takes a while; it goes on by itself, also after a restart.")
    elif waits:
        text = _(
            "⏳ Not everywhere yet: {names}. I try again by myself; whoever runs me finds the reason with "
            "`redlegion jobs list`."
        ).format(names=", ".join(waits))
    else:
        text = _("✅ Forgotten: I know this member only as a former one now.")
    await show(interaction, panel([text]))
