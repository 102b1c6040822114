"""PDF and CSV: the numbers of the sheet, any name, the same bytes twice, and no formulas."""

from __future__ import annotations

import csv
import io
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pypdf
import pytest

from plugins.payroll.output import fonts
from plugins.payroll.output.csv import HEADER, build_csv, safe_cell
from plugins.payroll.output.pdf import build_pdf
from plugins.payroll.rules.report import OreLine, Payroll, Sheet
from plugins.payroll.rules.split import Member, split
from plugins.payroll.words import auec, hms, share

SEPTEMBER = datetime(2025, 9, 1, tzinfo=UTC)
NAMES = (
    "quartz",
    "Алексей",
    "日本太郎",
    "Łukasz Żółć",
    "=1+1",
    "W" * 32,
    "<b>x</b> & y",
    "🚀",
    "",
    "العربية",
)


def sheet(members: int, *, price: int = 5858, expenses: int = 0) -> Sheet:
    crew = [
        Member(
            10**17 + number,
            NAMES[number] if number < len(NAMES) else f"miner {number}",
            7800 - 13 * number,
            estimated=number % 4 == 1,
        )
        for number in range(members)
    ]
    ores = (
        OreLine(33, "Gold", "1234.5", 123_450, price, "offline sample", SEPTEMBER),
        OreLine(-40, "Torite", "3", 300, 77, "offline sample", SEPTEMBER, 7, "opal"),
    )
    gross = sum(line.value or 0 for line in ores)
    result = split(gross, crew, org_cut_bp=1250, fee_bp=50, expenses=expenses)
    payroll = Payroll(
        id=17,
        guild_id=1,
        operation_id=47,
        version=1,
        state="locked",
        form="refined",
        org_cut_bp=1250,
        fee_bp=50,
        gross=result.gross,
        expenses=result.expenses,
        org_cut=result.org_cut,
        fees=result.fees,
        payouts_total=result.payouts_total,
        created_by=7,
        channel_id=5,
        locked_by=7,
        locked_by_name="opal",
        locked_at=datetime(2026, 3, 1, 20, 14, tzinfo=UTC),
        ores=ores,
        payslips=result.payslips,
    )
    started, ended = datetime(2026, 3, 1, 18, tzinfo=UTC), datetime(2026, 3, 1, 20, 10, tzinfo=UTC)
    return Sheet(payroll, "The Red Legion", "Sunday Mining - 2026-03-01", started, ended)


def text_of(pdf: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


@pytest.mark.parametrize(("members", "price"), [(1, 5858), (24, 5858), (500, 987_654_321)])
def test_the_pdf_says_what_the_sheet_says(members: int, price: int) -> None:
    made = sheet(members, price=price, expenses=1000)
    text = text_of(build_pdf(made))
    payroll = made.payroll
    for line in (
        f"Gross {auec(payroll.gross)}",
        "− Expenses paid back −1,000",
        f"− Org cut (12.5 %) −{auec(payroll.org_cut)}",
        f"= Payouts {auec(payroll.payouts_total)}",
        f"Gold 1,234.50 {auec(price)} offline sample, Sep 2025 {auec(payroll.ores[0].value or 0)}",
        "Torite 3.00 77 typed by opal 231",
        "2026-03-01 18:00 UTC",
        "2026-03-01 20:10 UTC",
        "2 h 10 min",
        "#47",
        "The Red Legion",
    ):
        assert line in text
    for slip in payroll.payslips:
        amounts = f"{auec(slip.gross)} {auec(slip.fee)} {auec(slip.net)}"
        assert f"{hms(slip.seconds)} {share(slip.seconds, made.seconds)} {amounts}" in text
    assert ("≈ Part of this time" in text) == (members > 1)
    pages = len(re.findall(r"Page \d+ of (\d+)", text))
    assert f"Page {pages} of {pages}" in text


def test_the_same_sheet_gives_the_same_bytes_in_any_thread() -> None:
    made = sheet(30)
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(build_pdf, [made] * 4))) == 1
    assert build_pdf(replace(made, title="Another")) != build_pdf(made)


def test_names_of_any_script_are_cut_into_fonts_that_have_them() -> None:
    assert fonts.runs("quartz") == [(fonts.REGULAR, "quartz")]
    # A machine may have a font of its own that has these; then that one is embedded.
    assert fonts.runs("日本 ok")[0] in (("HeiseiKakuGo-W5", "日本"), (fonts.WIDE, "日本"))
    assert fonts.runs("김철수") in ([("HYGothic-Medium", "김철수")], [(fonts.WIDE, "김철수")])
    assert "".join(part for _, part in fonts.runs("a\u200b\nb\x07c")) == "a bc"
    assert fonts.markup("<b>&") == "&lt;b&gt;&amp;"


@pytest.mark.parametrize(
    ("name", "doubtful"), [("quartz", False), ("日本", True), ("\U00013000", True), ("", True)]
)
def test_a_name_that_may_not_be_seen_is_told(name: str, doubtful: bool) -> None:
    assert fonts.doubtful(name) is doubtful


def test_such_a_name_comes_with_the_member_id() -> None:
    text = text_of(build_pdf(sheet(len(NAMES))))
    for number, name in enumerate(NAMES):
        assert (str(10**17 + number) in text) == fonts.doubtful(name), name


def test_the_csv_has_every_payslip_and_the_totals() -> None:
    made = sheet(24)
    raw = build_csv(made)
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert tuple(rows[0]) == HEADER
    slips = [row for row in rows if row["line"] == "payslip"]
    payroll = made.payroll
    assert [(int(row["user_id"]), int(row["gross_auec"]), int(row["net_auec"])) for row in slips] == [
        (slip.user_id, slip.gross, slip.net) for slip in payroll.payslips
    ]
    totals = {row["line"]: row for row in rows if row["line"] != "payslip"}
    assert int(totals["payouts"]["net_auec"]) == sum(int(row["net_auec"]) for row in slips)
    assert int(totals["payouts"]["fee_auec"]) == payroll.fees
    used = int(totals["expenses"]["gross_auec"]) + int(totals["org_cut"]["gross_auec"])
    assert used + payroll.fees + payroll.payouts_total == int(totals["gross"]["gross_auec"])
    assert build_csv(made) == raw


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "\t=1", "\uff1d1"])
def test_no_name_is_a_formula(name: str) -> None:
    assert safe_cell(name).startswith("'")
    assert safe_cell("quartz") == "quartz"
