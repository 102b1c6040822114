"""What the commands ask of the payroll: the store's refusals in words, and what is printed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import discord

from plugins.operations import OperationView, get_operation
from plugins.payroll import store
from plugins.payroll.rules.report import Payroll, Sheet
from plugins.payroll.rules.split import NobodyToPay
from redlegion import Context, UserError
from redlegion import translate as _

Interaction = discord.Interaction[Any]

# What posting the result takes, and its names in Discord's own settings.
_NEEDED = (
    ("view_channel", "View Channel"),
    ("send_messages", "Send Messages"),
    ("embed_links", "Embed Links"),
    ("attach_files", "Attach Files"),
)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn the store's refusals inside the block into words."""
    try:
        yield
    except store.DraftGone:
        raise UserError(
            _("This draft is gone: it was cancelled, or you began a newer one."),
            _("Run /payroll calculate again."),
        ) from None
    except store.AlreadyPaid as error:
        raise already_paid(error.payroll) from None
    except store.NotPayable:
        raise UserError(
            _("There is no ended event like this here."),
            _("Run /payroll calculate without options and pick one from the list."),
        ) from None
    except store.NotReady:
        raise UserError(
            _("A quantity or a price is still missing, so nothing was locked."),
            _("Fill it in with the buttons above."),
        ) from None
    except NobodyToPay:
        raise UserError(
            _("Nobody has any credited time in this event, so there is nobody to pay."),
            _("Nothing was stored. Pick another event."),
        ) from None


def already_paid(payroll: Payroll) -> UserError:
    """Return the refusal to pay an operation twice."""
    when = f" (<t:{int(payroll.locked_at.timestamp())}:R>)" if payroll.locked_at is not None else ""
    return UserError(
        _("This event is already paid: <@{officer}> locked payroll {id}{when}.").format(
            officer=payroll.locked_by, id=payroll.id, when=when
        ),
        _("See it with /payroll show."),
    )


def refuse_mute(interaction: Interaction) -> None:
    """Make sure that the bot can post the result where the command was given.

    :raises UserError: a permission is missing; it is named.
    """
    permissions = interaction.app_permissions
    missing = [words for name, words in _NEEDED if not getattr(permissions, name)]
    if isinstance(interaction.channel, discord.Thread):
        missing = [words for words in missing if words != "Send Messages"]
        if not permissions.send_messages_in_threads:
            missing.append("Send Messages in Threads")
    if missing and not permissions.administrator:
        raise UserError(
            _("I could not post the payroll in this channel: I lack {permissions}.").format(
                permissions=", ".join(missing)
            ),
            _("Give me that permission here, or use another channel."),
        )


async def find_operation(ctx: Context, wanted: str) -> OperationView:
    """Return the operation that is meant, if it can be paid.

    :param wanted: its id from the menu, "#47", or its title as typed.
    :raises UserError: unknown, still running, or already paid.
    """
    text = wanted.strip().removeprefix("#")
    payable = await ctx.read(store.payable, ctx.guild_id)
    for each in payable:
        if text.casefold() in (str(each.id), each.title.casefold()):
            return each
    # 18 digits fit in 64 bits; a longer number is no id.
    found = await ctx.read(get_operation, ctx.guild_id, int(text)) if _is_id(text) else None
    if found is not None and found.status == "ended":
        paid = await ctx.read(store.payroll_report, ctx.guild_id, found.id)
        if paid is not None:
            raise already_paid(paid)
        return found
    if found is not None:
        raise UserError(
            _("{title} has not ended yet.").format(title=found.title), _("Stop it first with /mining stop.")
        )
    raise UserError(
        _("There is no ended event called “{name}”.").format(name=discord.utils.escape_markdown(wanted[:80])),
        _("Pick one from the list that the option `operation` offers, or leave the option out."),
    )


async def sheet_of(ctx: Context, payroll: Payroll) -> Sheet:
    """Return what is printed of a locked payroll.

    :raises LookupError: its operation is gone, which the database does not allow.
    """
    operation = await ctx.read(get_operation, ctx.guild_id, payroll.operation_id)
    if operation is None or operation.ended_at is None:
        raise LookupError(f"payroll {payroll.id} has no ended operation {payroll.operation_id}")
    guild = ctx.guild
    return Sheet(
        payroll=payroll,
        guild_name=guild.name if guild is not None else "",
        title=operation.title,
        started_at=operation.started_at,
        ended_at=operation.ended_at,
    )


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18
