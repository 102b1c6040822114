"""A whole Sunday by hand: a real browser on the page, our bot behind it, and the database to compare with."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pypdf
import pytest

pytest.importorskip("selenium", reason="no selenium: make setup installs it")
from selenium.webdriver.common.keys import Keys
from support.browser import Page, chromium, needs_chromium

from plugins.operations import participants_of
from plugins.payroll import payroll_report
from plugins.payroll.words import auec, duration, hms
from sandbox.stage import Stage, open_stage

pytestmark = [needs_chromium, pytest.mark.timeout(300)]
SUNDAY_EVENING = datetime(2026, 3, 1, 18, tzinfo=UTC)
CREW = {"quartz": "Alpha", "beryl": "Alpha", "garnet": "Bravo"}
HAUL = {"Gold": "120.5", "Agricium": "64", "Titanium": "310.25"}
MINUTES, QUARTER, HOUR = 60, 900, 3600


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    url = f"sqlite:///{tmp_path / 'bot.sqlite3'}"
    async with open_stage(url, start=SUNDAY_EVENING, members=12, channels=5, page=True) as opened:
        await opened.start_bot()
        yield opened


class Sunday:
    """The steps of the day, each through the page alone."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def mine(self) -> str:
        """From the first channel to the end of the event; return what the bot says of it."""
        page = self.page
        page.act_as("topaz")
        page.go("mining-ops")
        page.command("mining channels add")
        page.option("channel", "Mining")
        page.picture("command")
        page.run()
        page.says("Added")
        page.command("mining start")
        page.run()
        page.says("started")
        for name, room in CREW.items():
            page.act_as(name)
            page.join(room, name)
            page.turn(MINUTES)
        page.press("voice-bar [data-flag='self_mute']")
        page.see("[data-room='Bravo'] [aria-label='Muted']")
        page.act_as("quartz")
        page.press("voice-bar [data-flag='self_stream']")
        page.see("[data-room='Alpha'] .live")
        page.turn(HOUR)
        page.picture("session")
        page.press("voice-bar .danger")
        page.turn(QUARTER)
        page.act_as("topaz")
        page.command("mining stop")
        page.run()
        return page.says("has ended")

    def pay(self) -> str:
        """From the event to the preview of its payroll, which is returned."""
        page = self.page
        page.command("payroll calculate")
        page.run()
        page.says("Pick the event")
        page.choose("Which event?", "Sunday Mining")
        page.says("What was sold?")
        page.choose("Pick the ores", *HAUL)
        page.says("Now enter the quantities")
        page.button("Quantities")
        page.see("dialog h2", "Quantities in SCU")
        for ore, amount in HAUL.items():
            page.press("dialog .field label", ore)
            page.keys(Keys.CONTROL, "a")
            page.keys(amount)
        page.picture("form")
        page.press("dialog button[type='submit']")
        preview = page.says("= Payouts")
        page.picture("payroll")
        return preview

    def confirm(self) -> str:
        """Lock the payroll; return the message that comes with its files."""
        page = self.page
        page.button("Confirm")
        page.says("is locked")
        page.turn(MINUTES)
        told = page.says("payroll-1.pdf")
        page.picture("posted")
        return told

    def download(self, folder: Path) -> bytes:
        """Fetch the PDF by its button, as the browser saves it."""
        self.page.press("[data-file='payroll-1.pdf'] a", "Download")
        path = folder / "downloads" / "payroll-1.pdf"
        self.page.until(path.is_file, "the PDF is saved")
        return path.read_bytes()

    def look_around(self) -> None:
        """See the same by day, and on a phone."""
        page = self.page
        page.press("[aria-label='Change between light and dark']")
        page.picture("light")
        page.size(390, 780)
        page.see("[aria-label='Channels']")
        page.says("payroll-1.pdf")
        page.picture("phone")


async def test_a_sunday_and_its_payroll_are_played_on_the_page(stage: Stage, tmp_path: Path) -> None:
    address = stage.server.addresses.page
    assert address is not None
    guild_id, db = stage.scene.guild.id, stage.runtime.db
    with chromium(tmp_path) as driver:
        page = await asyncio.to_thread(Page, driver, address)
        sunday = Sunday(page)
        ended = await asyncio.to_thread(sunday.mine)
        there = await db.read(participants_of, guild_id, 1)
        stayed = [HOUR + QUARTER + 2 * MINUTES, HOUR + QUARTER + MINUTES, HOUR + 3 * MINUTES]
        assert [each.seconds for each in there] == stayed
        for each in there:
            assert f"{each.name} · {duration(each.seconds)}" in ended
        preview = await asyncio.to_thread(sunday.pay)
        posted = await asyncio.to_thread(sunday.confirm)
        sheet = await db.read(payroll_report, guild_id, 1)
        assert sheet is not None
        pdf = await asyncio.to_thread(sunday.download, tmp_path)
        await asyncio.to_thread(sunday.look_around)
        assert await asyncio.to_thread(page.complaints) == []
    amounts = [sheet.gross, sheet.org_cut, sheet.fees, sheet.payouts_total]
    assert {line.name: line.centi_scu for line in sheet.ores} == {
        n: round(float(v) * 100) for n, v in HAUL.items()
    }
    for words in (preview, posted, _text(pdf)):
        missing = [auec(each) for each in amounts if auec(each) not in words]
        assert missing == [], words
    for slip in sheet.payslips:
        assert f"{hms(slip.seconds)} · {auec(slip.net)}" in preview
        assert auec(slip.net) in _text(pdf)
    assert len(sheet.payslips) == len(CREW)


def _text(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
