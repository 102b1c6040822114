"""/payroll calculate and /payroll show."""

from __future__ import annotations

from typing import Literal

import discord
from discord import app_commands

from plugins.payroll import publish, service, store, views
from plugins.payroll.rules.amounts import AmountError, parse_percent
from plugins.payroll.service import Interaction
from plugins.payroll.words import percent_problem
from redlegion import Context, UserError, reply, requires
from redlegion import translate as _

payroll = app_commands.Group(name="payroll", description="Pay out what an event earned", guild_only=True)


@payroll.command(name="calculate", description="Value the ore of an event and split the money by time")
@app_commands.describe(
    operation="Which event; leave it out to pick from a list",
    org_cut="The organisation's part in percent, 0 to 100, such as 12.5",
    prices="Prices of refined or of raw ore to start from",
)
@requires("officer")
async def calculate(
    interaction: Interaction,
    operation: str | None = None,
    org_cut: str | None = None,
    prices: Literal["refined", "raw"] = "refined",
) -> None:
    """Begin a payroll: ask for the event, or go straight to the ores."""
    ctx = Context.of(interaction)
    service.refuse_mute(interaction)
    org_cut_bp = _org_cut(org_cut)
    if operation is not None:
        found = await service.find_operation(ctx, operation)
        bench = await begin(ctx, interaction, found.id, prices, org_cut_bp)
        await reply(interaction, view=views.entry_panel(bench), ephemeral=True)
        return
    ended = await ctx.read(store.payable, ctx.guild_id)
    payable = [each for each in ended if each.participants]
    if ended and not payable:
        raise UserError(
            _("Nobody took part in {title}, so there is nothing to share.").format(title=ended[0].title),
            _("An event with members appears here after its /mining stop."),
        )
    if not payable:
        raise UserError(
            _("No event is waiting for its payroll."),
            _("One appears here after /mining stop; paid ones are under /payroll show."),
        )
    key = f"{prices}.{'' if org_cut_bp is None else org_cut_bp}"
    await reply(interaction, view=views.event_panel(payable, key), ephemeral=True)


@calculate.autocomplete("operation")
async def payable_choices(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer the events that wait for a payroll and whose title holds what was typed."""
    ctx = Context.of(interaction)
    payable = await ctx.read(store.payable, ctx.guild_id)
    return [
        app_commands.Choice(
            name=f"{each.badge} {each.title} ({each.started_at:%Y-%m-%d %H:%M} UTC)"[:100], value=str(each.id)
        )
        for each in payable
        if each.participants and typed.casefold() in f"{each.title} #{each.id}".casefold()
    ][:25]


@payroll.command(name="show", description="See a locked payroll again, with its PDF and CSV")
@app_commands.rename(number="payroll")
@app_commands.describe(number="Which payroll; leave it out for the newest")
@requires("member")
async def show(interaction: Interaction, number: str | None = None) -> None:
    """Send a locked payroll's summary and files to the member who asks."""
    ctx = Context.of(interaction)
    locked = await ctx.read(store.locked_payrolls, ctx.guild_id)
    if not locked:
        raise UserError(
            _("There is no payroll here yet."), _("An officer makes one with /payroll calculate.")
        )
    text = str(locked[0][0].id) if number is None else number.strip().removeprefix("#")
    found = None
    if text.isascii() and text.isdecimal() and len(text) <= 18:
        found = await ctx.read(store.get_payroll, ctx.guild_id, int(text))
    if found is None or found.state != "locked":
        raise UserError(
            _("There is no payroll “{number}” here.").format(
                number=discord.utils.escape_markdown((number or "")[:40])
            ),
            _("Pick one from the list that the option `payroll` offers."),
        )
    await interaction.response.defer(ephemeral=True)
    sheet = await service.sheet_of(ctx, found)
    files = await publish.files_of(ctx, sheet)
    await reply(interaction, embed=views.summary_embed(sheet), files=files, ephemeral=True)


@show.autocomplete("number")
async def locked_choices(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer the newest locked payrolls whose number or title holds what was typed."""
    ctx = Context.of(interaction)
    locked = await ctx.read(store.locked_payrolls, ctx.guild_id)
    return [
        app_commands.Choice(name=f"{found.id}: {event.badge} {event.title}"[:100], value=str(found.id))
        for found, event in locked
        if typed.casefold() in f"{found.id} {event.title}".casefold()
    ]


async def begin(
    ctx: Context, interaction: Interaction, operation_id: int, form: str, org_cut_bp: int | None
) -> store.Bench:
    """Make a draft and return it with what its panel shows.

    :param org_cut_bp: None for the guild's own rate.
    :raises UserError: the event cannot be paid; nothing is stored.
    """
    with service.refusals():
        draft = await ctx.write(
            store.create_draft,
            ctx.guild_id,
            operation_id,
            form=form,
            org_cut_bp=ctx.settings.org_cut_bp if org_cut_bp is None else org_cut_bp,
            fee_bp=ctx.settings.fee_bp,
            created_by=interaction.user.id,
            channel_id=interaction.channel_id or 0,
            request_id=interaction.id,
            at=ctx.clock.now(),
        )
        return await ctx.read(store.bench, ctx.guild_id, draft.id)


def _org_cut(text: str | None) -> int | None:
    try:
        return parse_percent(text or "")
    except AmountError as error:
        raise UserError(percent_problem(error), _("Write it like 10 or 12.5.")) from None
