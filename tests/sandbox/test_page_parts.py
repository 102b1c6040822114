"""Every part of messages, commands and forms in a real browser, by mouse and by keyboard, light and dark."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("selenium", reason="no selenium: make setup installs it")
from selenium.webdriver.common.keys import Keys
from support.browser import Page, chromium, needs_chromium
from support.loopback import LoopbackBot
from support.showcase import showcase

from sandbox.server import SandboxServer, World
from sandbox.stories import Scene, sunday

pytestmark = [needs_chromium, pytest.mark.timeout(300)]

MARKDOWN = {
    "**a** *b* __c__ ~~d~~": "<strong>a</strong> <em>b</em> <u>c</u> <s>d</s>",
    "***both***": "<strong><em>both</em></strong>",
    "`**not**` ``a`b``": "<code>**not**</code> <code>a`b</code>",
    r"\*plain\* snake_case_name 2 * 3 * 4": "*plain* snake_case_name 2 * 3 * 4",
    "**open and _half": "**open and _half",
    "<script>alert(1)</script> &amp;": "&lt;script&gt;alert(1)&lt;/script&gt; &amp;amp;",
    "[a](javascript:alert(1))": "[a](javascript:alert(1))",
    "@everyone </mining start:12> <:gem:5>": '<span class="mention">@everyone</span> '
    '<span class="mention">/mining start</span> <span class="emoji-name">:gem:</span>',
    "<@1> <#2> <@&3>": '<span class="mention">@unknown</span> <span class="mention">#unknown</span> '
    '<span class="mention">@unknown role</span>',
}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One browser for all tests here; each opens the page anew."""
    with chromium(tmp_path_factory.mktemp("browser")) as driver:
        yield driver


class Show:
    """A scene with the bot that shows everything, and the page in front of it."""

    def __init__(self, scene: Scene, server: SandboxServer, driver: Any) -> None:
        self.scene, self.world, self.server, self.driver = scene, scene.world, server, driver
        self.page: Page

    async def do(self, run: Any, *given: Any) -> Any:
        """Run something with the page in a thread, so that the sandbox can serve it."""
        return await asyncio.to_thread(run, *given)

    async def open(self, **size: int) -> Page:
        """Open the page in #general as its owner."""
        address = self.server.addresses.page
        assert address is not None
        self.page = await self.do(lambda: Page(self.driver, f"{address}?{id(self)}", **size))
        return self.page


@pytest.fixture
async def show(browser: Any) -> AsyncIterator[Show]:
    world = World(seed=3)
    scene = sunday(world, members=5, channels=2)
    server = SandboxServer(world, page=True)
    await server.start()
    bot = LoopbackBot(server)
    for each in showcase():
        bot.tree.add_command(each)
    await bot.begin(world.token)
    await bot.tree.sync()
    shown = Show(scene, server, browser)
    try:
        yield shown
        assert await shown.do(shown.page.complaints) == []
    finally:
        await shown.do(browser.get, "about:blank")
        await bot.end()
        await server.close()


async def test_old_messages_with_buttons_and_selects(show: Show) -> None:
    page = await show.open()

    def play() -> None:
        page.command("show old")
        page.run()
        page.see(".message strong", "Bold")
        page.see(".message .h1", "Haul of the week")
        assert page.see(".message pre.code").text == 'print("not **bold** here")'
        page.see(".message ul ul li", "of Alpha")
        page.see(".message .mention", "@Opal")
        page.see(".embed-title", "Prices")
        assert page.see(".embed .picture").get_property("naturalWidth") == 240
        page.picture("message")
        page.button("Primary")
        page.says("primary: pressed")
        assert page.see(".message [data-custom-id='danger']").get_property("disabled")
        page.choose("Which ores?", "Gold", "Iron")
        page.says("ores: gold, iron")
        page.press(".message .select", "Which ores?")
        page.press(".picker li", "Tin")
        page.keys(Keys.ESCAPE)
        page.until(lambda: not page.all(".picker"), "Escape closes the list")
        page.choose("Who?", "Quartz")
        page.says("who: quartz")
        page.choose("Which role?", "Officer")
        page.says("roles: Officer")
        page.choose("Where?", "Alpha")
        page.says("where: Alpha")
        before = len(page.all(".message"))
        page.press(".only-you button", "Dismiss")
        page.until(lambda: len(page.all(".message")) == before - 1, "the message is dismissed")

    await show.do(play)


async def test_layouts_with_media_and_files(show: Show) -> None:
    page = await show.open()

    def play() -> None:
        page.command("show layout")
        page.run()
        page.see(".container .heading", "Laranite")
        assert page.see(".section .thumbnail").get_property("naturalWidth") == 240
        assert "not fetched" in page.see(".gallery .elsewhere").text
        page.press(".veil", "Spoiler")
        page.until(lambda: len(page.all(".gallery img")) == 2, "the spoiler is lifted")
        page.see("[data-file='report.txt']", "9 B")
        page.picture("layout")

    await show.do(play)


async def test_forms_with_every_field(show: Show, tmp_path: Path) -> None:
    page = await show.open()
    proof = tmp_path / "proof.txt"
    proof.write_text("weighed")

    def play() -> None:
        page.command("show form")
        page.run()
        page.see("dialog h2", "Every field")
        page.see("dialog [data-field='note'] input").send_keys("no")
        page.press("dialog button[type='submit']")
        assert "“Note” takes 3 to 40 characters" in page.see("dialog .problem").text
        page.see("dialog [data-field='note'] input").send_keys("ne")
        page.see("dialog [data-field='story'] textarea").send_keys("one", Keys.ENTER, "two")
        page.press("dialog [data-field='crew'] .select")
        for name in ("Quartz", "Beryl"):
            page.press(".picker li", name)
        page.press(".picker .button", "Done")
        page.press("dialog [data-field='role'] label", "gunner")
        page.see("dialog [data-field='proof'] input").send_keys(str(proof))
        page.picture("fields")
        page.press("dialog button[type='submit']")
        told = page.says("none")
        for words in ("'none'", "'one\\ntwo'", "['quartz', 'beryl']", "'gunner'", "['weighed']"):
            assert words in told
        page.command("show ticks")
        page.run()
        page.press("dialog [data-field='ores'] label", "iron")
        page.press("dialog [data-field='sure'] .tickline")
        page.press("dialog button[type='submit']")
        page.says("{'ores': ['iron'], 'sure': True}")

    await show.do(play)


async def test_every_kind_of_option(show: Show, tmp_path: Path) -> None:
    page = await show.open()
    proof = tmp_path / "proof.txt"
    proof.write_text("sealed")

    def play() -> None:
        page.command("show options")
        page.keys("ga")
        page.see(".suggest li.active", "Galena ore")
        page.picture("options")
        page.keys(Keys.ENTER)
        page.option("grade", "refined")
        page.see("[data-option='amount'] input").send_keys("12.5")
        page.see("[data-option='crew'] input").send_keys("3")
        page.option("sold", "No")
        page.option("who", "Quartz")
        page.option("where", "Alpha")
        page.option("role", "Officer")
        page.see("[data-option='proof'] input").send_keys(str(proof))
        page.run()
        page.says("['Galena', 'refined', 12.5, 3, False, 'quartz', 'Alpha', 'Officer'] sealed")

    await show.do(play)


async def test_by_keyboard_alone(show: Show) -> None:
    page = await show.open()

    def play() -> None:
        page.keys("/")
        page.see(".command-menu .active")
        page.keys("show tic", Keys.ENTER)
        page.see(".command-card")
        page.keys(Keys.ESCAPE)
        page.until(lambda: not page.all(".command-card"), "Escape closes the card")
        page.keys("/show tic", Keys.ENTER)
        page.see(".command-card")
        page.keys(Keys.ENTER)
        page.see("dialog h2", "Ticks")
        page.keys(Keys.SPACE, Keys.TAB, Keys.TAB, Keys.SPACE, Keys.ENTER)
        page.says("{'ores': ['gold'], 'sure': True}")
        page.see("#say").send_keys("Hello <@1> **crew**", Keys.ENTER)
        page.says("Hello @unknown crew")

    await show.do(play)


async def test_people_and_messages_have_their_menus(show: Show) -> None:
    page = await show.open()

    def play() -> None:
        page.see("#say").send_keys("eleven char", Keys.ENTER)
        page.says("eleven char")
        page.press("people-list [data-member='beryl']")
        page.press(".card .button", "Seat in")
        page.press(".picker li", "Alpha")
        page.see("[data-room='Alpha'] [data-member='beryl']")
        page.press("[data-room='Alpha'] [data-member='beryl']")
        page.press(".card .button", "Mute for all")
        page.see("[data-room='Alpha'] [aria-label='Muted by a moderator']")
        page.press(".message .author")
        page.see(".card strong", "Opal")
        page.keys(Keys.ESCAPE)
        page.about("React with 🎉")
        page.see(".reaction", "🎉 1")
        page.press(".reaction", "🎉")
        page.until(lambda: not page.all(".reaction"), "the reaction is taken back")
        page.about("Weigh")
        page.says("11 letters")
        page.press(".only-you button", "Dismiss")
        page.until(lambda: not page.all(".only-you"), "it is dismissed")
        page.about("Pin")
        page.says("pinned a message")
        page.see(".message header svg[aria-label='Pinned']")
        page.press("[data-channel='robot']")
        page.see("chat-head h2", "robot")
        page.see("#say").send_keys("just you and me", Keys.ENTER)
        page.says("just you and me")

    await show.do(play)


async def test_what_is_refused_is_said(show: Show) -> None:
    page = await show.open()
    show.world.interaction_wait = 0.1

    def play() -> None:
        page.command("show slow")
        page.run()
        page.says("thinking")
        page.turn(3600)
        page.press("[data-channel='Away']")
        page.press("turn-clock .button", "Turn…")
        page.see("#turn-amount").send_keys(Keys.CONTROL, "a")
        page.keys("-5", Keys.ENTER)
        page.see("dialog #turn-amount:invalid")
        page.keys(Keys.ESCAPE)

    await show.do(play)
    show.scene.voice_channels[1].user_limit = 1
    await show.scene.members[0].join(show.scene.voice_channels[1])
    quartz = show.scene.members[1]

    def full() -> None:
        page.act_as(quartz.username)
        page.press("[data-channel='Alpha']")
        page.see(".toast", "Alpha is full (1).")

    await show.do(full)


async def test_it_reconnects_and_catches_up(show: Show) -> None:
    page = await show.open()
    await show.do(page.see, ".empty")
    show.world.changes.end()
    await show.scene.owner.send(show.scene.general, "said while nobody watched")
    await show.do(page.says, "said while nobody watched")
    await show.scene.owner.send(show.scene.general, "and said after")
    await show.do(page.says, "and said after")


async def test_an_empty_sandbox_fills(browser: Any) -> None:
    world = World()
    server = SandboxServer(world, page=True)
    await server.start()
    try:
        await asyncio.to_thread(browser.get, server.addresses.page)
        page = Page.__new__(Page)
        page.driver = browser
        await asyncio.to_thread(page.see, "bot-notice", "This sandbox is empty.")
        world.create_guild("Amber Diggers", "opal").create_channel("lobby")
        await asyncio.to_thread(page.see, "channel-list h1", "Amber Diggers")
        await asyncio.to_thread(page.go, "lobby")
    finally:
        await asyncio.to_thread(browser.get, "about:blank")
        await server.close()


async def test_the_log_opens_at_an_entry(show: Show) -> None:
    page = await show.open()

    def play() -> None:
        page.command("show layout")
        page.run()
        page.press(".log-button")
        page.see("log-drawer input").send_keys("callback")
        page.until(lambda: all("callback" in each.text for each in page.all(".log-lines li")), "filtered")
        page.press(".log-lines button", "POST")
        assert (
            '"Laranite"' in page.see(".log-detail pre", "interactions").text
            or "Laranite" in page.see(".log-detail pre").text
        )
        page.picture("log")
        page.press(".chip", "Requests")
        page.see(".log-lines .nothing")

    await show.do(play)


async def test_markdown_is_rendered_as_nodes(show: Show) -> None:
    page = await show.open()
    script = """
        const [texts, done] = arguments;
        import("/page/js/markdown-inline.js").then(({ inline }) => {
          const box = document.createElement("div");
          done(texts.map((text) => { box.replaceChildren(...inline(text)); return box.innerHTML; }));
        }, (error) => done(String(error)));
    """
    got = await show.do(show.driver.execute_async_script, script, list(MARKDOWN))
    assert dict(zip(MARKDOWN, got, strict=True)) == MARKDOWN
    assert page.now() == show.world.clock.now()


CONTRAST = (Path(__file__).parents[1] / "support" / "contrast.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_it_can_be_read_and_has_names(show: Show, theme: str) -> None:
    page = await show.open()

    def play() -> list[str]:
        media = [{"name": "prefers-color-scheme", "value": theme}]
        show.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
        page.join("Alpha", "opal")
        page.command("show old")
        page.run()
        page.button("Primary")
        page.says("primary: pressed")
        page.command("show layout")
        page.run()
        page.see(".container")
        page.press(".log-button")
        page.see(".log-lines button")
        found = list(show.driver.execute_script(CONTRAST))
        page.picture(f"all-{theme}")
        page.command("show form")
        page.run()
        page.see("dialog h2")
        return [*found, *show.driver.execute_script(CONTRAST)]

    assert await show.do(play) == []


async def test_on_a_phone(show: Show) -> None:
    page = await show.open(width=390, height=780)

    def play() -> None:
        page.press("[aria-label='Channels']")
        page.see("channel-list h1", "Ember Prospectors")
        page.press("[data-channel='mining-ops']")
        page.until(lambda: not page.all("channel-list h1"), "the channels slide away")
        page.command("show layout")
        page.run()
        page.see(".container .heading", "Laranite")
        page.until(lambda: page.all(".message"), "the message is there")
        width = show.driver.execute_script("return document.documentElement.scrollWidth")
        assert width <= 390
        page.turn(60)
        page.picture("phone")

    await show.do(play)
