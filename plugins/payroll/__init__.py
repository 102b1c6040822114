"""Payrolls: what the ore was worth, who gets how much, and the payslips as PDF and CSV."""

from __future__ import annotations

from pathlib import Path

from plugins.payroll.models import MODELS
from plugins.payroll.rules.report import Payroll
from plugins.payroll.rules.split import Payslip
from plugins.payroll.settings import PayrollSettings
from plugins.payroll.store import payroll_report
from redlegion import Schema, hookimpl

__all__ = ["Payroll", "Payslip", "payroll_report"]


@hookimpl
def register_schema() -> Schema:
    """The tables."""
    return Schema("payroll", MODELS, Path(__file__).parent / "migrations")


@hookimpl
def register_settings() -> type[PayrollSettings]:
    """What a guild can set."""
    return PayrollSettings
