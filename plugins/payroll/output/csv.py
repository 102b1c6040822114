"""The payslips as a table for spreadsheets."""

from __future__ import annotations

import csv
import io

from plugins.payroll.rules.report import Sheet
from plugins.payroll.words import hms, share

HEADER = (
    "line",
    "user_id",
    "name",
    "seconds",
    "time",
    "estimated",
    "share_percent",
    "gross_auec",
    "fee_auec",
    "net_auec",
)
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def build_csv(sheet: Sheet) -> bytes:
    """Return one row per payslip, then the totals, then how the gross was used.

    :returns: UTF-8 with a byte order mark, without which Excel takes it for the machine's old code page.
    """
    payroll = sheet.payroll
    out = io.StringIO(newline="")
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(HEADER)
    for slip in payroll.payslips:
        rows.writerow(
            (
                "payslip",
                slip.user_id,
                safe_cell(slip.name),
                slip.seconds,
                hms(slip.seconds),
                "yes" if slip.estimated else "no",
                share(slip.seconds, sheet.seconds).removesuffix(" %"),
                slip.gross,
                slip.fee,
                slip.net,
            )
        )
    shared = sum(slip.gross for slip in payroll.payslips)
    rows.writerow(
        (
            "payouts",
            "",
            "",
            sheet.seconds,
            hms(sheet.seconds),
            "",
            "",
            shared,
            payroll.fees,
            payroll.payouts_total,
        )
    )
    for line, amount in (
        ("expenses", payroll.expenses),
        ("org_cut", payroll.org_cut),
        ("gross", payroll.gross),
    ):
        rows.writerow((line, "", "", "", "", "", "", amount, "", ""))
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def safe_cell(text: str) -> str:
    """Return the text so that no spreadsheet runs it as a formula: an apostrophe before what could be one."""
    flat = " ".join(text.split())
    return f"'{flat}" if flat.startswith(_FORMULA) else flat
