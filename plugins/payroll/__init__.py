"""Payrolls: what the ore was worth, who gets how much, and the payslips as PDF and CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from discord import app_commands

from core.events import MemberDataAsked, MemberForgotten
from plugins.payroll import store
from plugins.payroll.commands import payroll
from plugins.payroll.components import components
from plugins.payroll.help import TOPICS
from plugins.payroll.models import MODELS
from plugins.payroll.publish import publish
from plugins.payroll.rules.report import Payroll
from plugins.payroll.rules.split import Payslip
from plugins.payroll.settings import PayrollSettings
from plugins.payroll.store import payroll_report
from redlegion import Component, Context, HelpTopic, Job, Schema, hookimpl

__all__ = ["Payroll", "Payslip", "payroll_report"]


@hookimpl
def register_schema() -> Schema:
    """The tables."""
    return Schema("payroll", MODELS, Path(__file__).parent / "migrations")


@hookimpl
def register_settings() -> type[PayrollSettings]:
    """What a guild can set."""
    return PayrollSettings


@hookimpl
def register_commands() -> list[app_commands.Group]:
    """/payroll calculate and /payroll show."""
    return [payroll]


@hookimpl
def register_components() -> list[Component]:
    """The buttons, selects and forms of a draft."""
    return components()


@hookimpl
def register_jobs() -> list[Job]:
    """What posts a locked payroll."""
    return [Job(name="publish", handler=publish)]


@hookimpl
def register_help() -> list[HelpTopic]:
    """Pages of /help."""
    return TOPICS


@hookimpl
async def collect_member_data(ctx: Context, event: MemberDataAsked) -> dict[str, Any] | None:
    """What a member was paid, and which payrolls and prices are theirs."""
    return await ctx.read(store.member_data, ctx.guild_id, event.user_id)


@hookimpl
async def on_member_forgotten(ctx: Context, event: MemberForgotten) -> None:
    """A former member was paid from now on; no amount changes."""
    await ctx.write(store.forget_member, ctx.guild_id, event.user_id, event.stand_in)
