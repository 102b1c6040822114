"""Payrolls: what the ore was worth, who gets how much, and the payslips as PDF and CSV."""

from __future__ import annotations

from pathlib import Path

from discord import app_commands

from plugins.payroll.commands import payroll
from plugins.payroll.components import components
from plugins.payroll.models import MODELS
from plugins.payroll.publish import publish
from plugins.payroll.rules.report import Payroll
from plugins.payroll.rules.split import Payslip
from plugins.payroll.settings import PayrollSettings
from plugins.payroll.store import payroll_report
from redlegion import Component, Job, Schema, hookimpl

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
