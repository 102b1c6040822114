"""What commands and other plugins ask of operations; every change is one transaction, events follow it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.events import MemberDataAsked, Resync, SessionRecord
from plugins.operations import quiet, roles, store
from plugins.operations.rules.lifecycle import title_for
from plugins.operations.rules.values import (
    ChannelRef,
    OperationEnded,
    OperationStarted,
    OperationType,
    OperationView,
    Started,
    Summary,
)
from redlegion import Context, UserError, clean_name
from redlegion import translate as _

NAME = roles.NAME


def operation_types(ctx: Context) -> dict[str, OperationType]:
    """Return the kinds of operation that the plugins which are on here bring, by name."""
    return {kind.name: kind for _plugin, kinds in ctx.declared("register_operation_types") for kind in kinds}


def already_running(operation: OperationView) -> UserError:
    """Return the refusal to start a second operation of a type."""
    return UserError(
        _("{title} is already running since {since}.").format(
            title=operation.title, since=f"<t:{int(operation.started_at.timestamp())}:t>"
        ),
        _("Stop it with /mining stop before you start another one."),
    )


def channels_taken(error: store.ChannelsTaken) -> UserError:
    """Return the refusal to let channels count for two running operations."""
    mentions = ", ".join(f"<#{channel_id}>" for channel_id in sorted(error.titles))
    titles = ", ".join(sorted(set(error.titles.values())))
    return UserError(
        _("{channels} already counts for {titles}.").format(channels=mentions, titles=titles),
        _("Stop that operation with /mining stop first."),
    )


async def start_operation(
    ctx: Context,
    type_name: str,
    channels: Sequence[ChannelRef],
    initiator: int,
    text_channel_id: int | None,
    *,
    request_id: int | None = None,
) -> Started:
    """Start an operation in which the time spent in `channels` counts from now on.

    :param ctx: of operations, or of a plugin that requires it.
    :param type_name: the name of a declared OperationType.
    :param channels: at least one; the bot sits down in the one marked as dispatch.
    :param initiator: the user id of who starts it.
    :param request_id: the interaction's id; asked twice, it starts once.
    :raises UserError: one of this type runs, or a channel counts for another operation; nothing is changed.
    :raises ValueError: no channels, or no plugin that is on here declares the type.
    """
    ctx = _own(ctx)
    kind = operation_types(ctx).get(type_name)
    if kind is None:
        raise ValueError(
            f"no plugin that is on in guild {ctx.guild_id} declares the operation type {type_name!r}"
        )
    if not channels:
        raise ValueError("an operation needs at least one channel")
    now = ctx.clock.now()
    try:
        operation, fresh = await quiet.start(
            ctx,
            kind,
            channels,
            title=title_for(kind, now, ctx.settings.tz),
            initiator_id=initiator,
            text_channel_id=text_channel_id,
            at=now,
            request_id=request_id,
            roles=roles.roles_now(ctx),
        )
    except store.AlreadyRunning as error:
        raise already_running(error.operation) from None
    except store.ChannelsTaken as error:
        raise channels_taken(error) from None
    if fresh:
        ctx.emit(
            "on_operation_started", OperationStarted(ctx.guild_id, operation, tuple(channels), initiator)
        )
    return Started(operation, tuple(channels), await settle_seat(ctx))


async def stop_operation(ctx: Context, operation_id: int, by: int) -> Summary:
    """End a running operation; members who still sit there count up to this instant.

    :param ctx: of operations, or of a plugin that requires it.
    :param by: the user id of who stops it.
    :raises UserError: it does not run (any more); nothing is changed.
    """
    ctx = _own(ctx)
    now = ctx.clock.now()
    # What the gateway said before this instant must be in the database before credit is computed from it.
    await ctx.voice.settled()
    held = roles.roles_now(ctx)
    people = await ctx.read(store.voices, ctx.guild_id, operation_id, now, held)
    try:
        summary = await ctx.write(
            store.end, ctx.guild_id, operation_id, by, now, display_names(ctx, people), roles=held
        )
    except store.NotRunning as error:
        raise _not_running(error.operation) from None
    event = OperationEnded(ctx.guild_id, summary.operation, summary.participants, by)
    ctx.emit("on_operation_ended", event)
    await settle_seat(ctx)
    return summary


async def settle_seat(ctx: Context) -> str | None:
    """Bring the bot to where its seat belongs, or out of voice when nothing runs.

    Never raises, for nothing depends on it.

    :returns: words for why it cannot sit there, None when all is well.
    """
    ctx = _own(ctx)
    try:
        channel_id = await ctx.read(store.dispatch_channel, ctx.guild_id)
    except Exception:
        return _no_seat(ctx)
    return await _sit(ctx, channel_id)


async def resync(ctx: Context, event: Resync) -> None:
    """Decide anew on what is open, and bring the bot to its seat: events may have been missed."""
    roles.notice(ctx)
    if not await quiet.anything_runs(ctx):
        await _sit(ctx, None)
        return
    running, channel_id = await ctx.read(store.dispatch, ctx.guild_id)
    if running:
        await ctx.voice.settled()
        await roles.look_again(ctx, event)
    await _sit(ctx, channel_id)


async def _sit(ctx: Context, channel_id: int | None) -> str | None:
    try:
        if channel_id is None:
            await ctx.seat.release()
            return None
        problem = await ctx.seat.claim(channel_id)
    except Exception:
        return _no_seat(ctx)
    return None if problem is None else problem.words


def _no_seat(ctx: Context) -> str:
    ctx.log.exception("the seat could not be claimed or released in guild %s", ctx.guild_id)
    return _("I could not take my place in the voice channel.")


async def refusal_to_forget(ctx: Context, event: MemberDataAsked) -> UserError | None:
    """Return why a member cannot be forgotten now, None when no operation runs in which they have credit."""
    running = await ctx.read(store.running_with, ctx.guild_id, event.user_id, event.at)
    if running is None:
        return None
    return UserError(
        _("<@{user}> takes part in {title}, which is running.").format(
            user=event.user_id, title=running.title
        ),
        _("Wait until it has ended, or have an officer end it with /mining stop."),
    )


async def link_session(ctx: Context, session: SessionRecord, *, passed_on: bool = False) -> None:
    """Decide whether a session that has just begun counts, for every operation that runs.

    :param passed_on: it began in another channel, a moment ago.
    """
    if await quiet.anything_runs(ctx):
        held = roles.role_of(ctx, session.user_id)
        await ctx.write(store.link_session, ctx.guild_id, session, held, ctx.clock.now(), passed_on=passed_on)


def display_names(ctx: Context, user_ids: Iterable[int]) -> dict[int, str]:
    """Return what members are called in the guild now; those who are not in the cache are left out."""
    guild = ctx.guild
    if guild is None:
        return {}
    found = ((user_id, guild.get_member(user_id)) for user_id in user_ids)
    return {user_id: clean_name(member.display_name) for user_id, member in found if member is not None}


def _own(ctx: Context) -> Context:
    return ctx if ctx.plugin == NAME else ctx.peer(NAME)


def _not_running(operation: OperationView | None) -> UserError:
    if operation is None:
        return UserError(_("There is no such operation here."), _("/mining status shows what is running."))
    ended = operation.ended_at
    when = f"<t:{int(ended.timestamp())}:t>" if ended is not None else operation.status
    return UserError(
        _("{title} has already ended ({when}).").format(title=operation.title, when=when),
        _("Its payroll can be made with /payroll calculate."),
    )
