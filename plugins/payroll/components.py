"""The buttons, selects and forms of the draft; each works after a restart: all state is in the database."""

from __future__ import annotations

from plugins.payroll import service, store, views
from plugins.payroll.commands import begin
from plugins.payroll.rules.amounts import BASIS_POINTS
from plugins.payroll.rules.report import OreLine
from plugins.payroll.service import Interaction
from plugins.payroll.views.entry import PER_PAGE
from redlegion import Component, Context, UserError, modal_values, selected
from redlegion import translate as _

#: Digits that fit in 64 bits whatever they are.
_MOST_DIGITS = 18


async def choose_event(interaction: Interaction, ctx: Context, key: str) -> None:
    """An event was picked: make the draft."""
    form, _dot, org_cut = key.partition(".")
    if form not in ("refined", "raw") or (org_cut and _number(org_cut) > BASIS_POINTS):
        raise _unreadable()
    bench = await begin(
        ctx, interaction, int(selected(interaction)[0]), form, int(org_cut) if org_cut else None
    )
    await interaction.response.edit_message(view=views.entry_panel(bench))


async def choose_ores(interaction: Interaction, ctx: Context, key: str) -> None:
    """Ores of one page were picked."""
    payroll_id, page = _numbers(key)
    bench = await _bench(ctx, payroll_id)
    offered = [material.id for material in bench.offered[page * PER_PAGE : (page + 1) * PER_PAGE]]
    chosen = [int(value) for value in selected(interaction)]
    with service.refusals():
        await ctx.write(store.pick_ores, ctx.guild_id, payroll_id, offered, chosen)
    await _show_entry(interaction, ctx, payroll_id, page)


async def turn_page(interaction: Interaction, ctx: Context, key: str) -> None:
    """Other ores are wanted."""
    payroll_id, page = _numbers(key)
    await _show_entry(interaction, ctx, payroll_id, page)


async def ask_quantities(interaction: Interaction, ctx: Context, key: str) -> None:
    """Open the form for up to five quantities."""
    payroll_id, number = _numbers(key)
    lines = _part((await _bench(ctx, payroll_id)).payroll.ores, number)
    await interaction.response.send_modal(views.quantity_modal(lines, str(payroll_id)))


async def take_quantities(interaction: Interaction, ctx: Context, key: str) -> None:
    """Keep what was typed, right or wrong; show the preview once all is in."""
    payroll_id, _number = _numbers(key)
    with service.refusals():
        await ctx.write(store.enter_quantities, ctx.guild_id, payroll_id, _typed(interaction))
    bench = await _bench(ctx, payroll_id)
    view = views.preview_panel(bench) if bench.payroll.entered else views.entry_panel(bench)
    await interaction.response.edit_message(view=view)


async def show_preview(interaction: Interaction, ctx: Context, key: str) -> None:
    """Show what it comes to."""
    payroll_id, _number = _numbers(key)
    bench = await _bench(ctx, payroll_id)
    view = views.preview_panel(bench) if bench.payroll.entered else views.entry_panel(bench)
    await interaction.response.edit_message(view=view)


async def edit_quantities(interaction: Interaction, ctx: Context, key: str) -> None:
    """Go back to ores and quantities."""
    payroll_id, page = _numbers(key)
    await _show_entry(interaction, ctx, payroll_id, page)


async def ask_prices(interaction: Interaction, ctx: Context, key: str) -> None:
    """Open the form for up to five prices; with more, ask which."""
    payroll_id, number = _numbers(key)
    bench = await _bench(ctx, payroll_id)
    sold = bench.payroll.sold
    if len(sold) > views.PER_MODAL and "." not in key:
        await interaction.response.edit_message(view=views.prices_panel(bench))
        return
    await interaction.response.send_modal(views.price_modal(_part(sold, number), str(payroll_id)))


async def take_prices(interaction: Interaction, ctx: Context, key: str) -> None:
    """Keep the prices that were typed, and who typed them."""
    payroll_id, _number = _numbers(key)
    with service.refusals():
        await ctx.write(
            store.enter_prices,
            ctx.guild_id,
            payroll_id,
            _typed(interaction),
            interaction.user.id,
            interaction.user.display_name,
        )
    await interaction.response.edit_message(view=views.preview_panel(await _bench(ctx, payroll_id)))


async def confirm(interaction: Interaction, ctx: Context, key: str) -> None:
    """Lock it: one officer wins, and a job posts the result."""
    payroll_id, _number = _numbers(key)
    service.refuse_mute(interaction)
    with service.refusals():
        locked = await ctx.write(
            store.lock_payroll,
            ctx.guild_id,
            payroll_id,
            by=interaction.user.id,
            name=interaction.user.display_name,
            request_id=interaction.id,
            job_id=ctx.ids.next(),
            at=ctx.clock.now(),
        )
    words = _(
        "### Payroll {id} is locked\nThe PDF and the CSV appear in <#{channel}> in a moment. "
        "Should they not, /payroll show brings them."
    )
    await interaction.response.edit_message(
        view=views.message_panel(words.format(id=locked.id, channel=locked.channel_id))
    )


async def cancel(interaction: Interaction, ctx: Context, key: str) -> None:
    """Throw the draft away."""
    payroll_id, _number = _numbers(key)
    with service.refusals():
        await ctx.write(store.discard_draft, ctx.guild_id, payroll_id)
    await interaction.response.edit_message(
        view=views.message_panel(_("The draft is thrown away; nothing was paid."))
    )


def components() -> list[Component]:
    """Return every handler with its action; all of them are for officers."""
    handlers = {
        "event": choose_event,
        "ores": choose_ores,
        "page": turn_page,
        "quantities": ask_quantities,
        "enter": take_quantities,
        "preview": show_preview,
        "edit": edit_quantities,
        "prices": ask_prices,
        "price": take_prices,
        "confirm": confirm,
        "cancel": cancel,
    }
    return [Component(action=action, handler=handler, rank="officer") for action, handler in handlers.items()]


async def _bench(ctx: Context, payroll_id: int) -> store.Bench:
    with service.refusals():
        return await ctx.read(store.bench, ctx.guild_id, payroll_id)


async def _show_entry(interaction: Interaction, ctx: Context, payroll_id: int, page: int) -> None:
    await interaction.response.edit_message(view=views.entry_panel(await _bench(ctx, payroll_id), page))


def _numbers(key: str) -> tuple[int, int]:
    """Return the payroll's id and what else a key counts.

    :raises UserError: the message is from a version whose keys were others.
    """
    first, _dot, second = key.partition(".")
    return _number(first), _number(second or "0")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise _unreadable()
    return int(text)


def _unreadable() -> UserError:
    return UserError(
        _("This message is from an older version of me and no longer works."),
        _("Run /payroll calculate again."),
    )


def _part(lines: tuple[OreLine, ...], number: int) -> tuple[OreLine, ...]:
    """Return the lines of one form.

    :raises UserError: the ores were changed meanwhile and there is no such form any more.
    """
    part = lines[number * views.PER_MODAL : (number + 1) * views.PER_MODAL]
    if not part:
        raise UserError(
            _("These ores are no longer in the draft."), _("Use the newest message, or begin again.")
        )
    return part


def _typed(interaction: Interaction) -> dict[int, str]:
    values = modal_values(interaction)
    return {int(name): value for name, value in values.items() if isinstance(value, str)}
