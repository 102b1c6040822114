"""A real browser in front of the sandbox's page; every wait is on a condition."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import TimeoutException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

WAIT = 60.0
PICTURES = "PAGE_PICTURES"
"""The environment variable that names a folder for screenshots; none are taken without it."""

_CHROMIUM, _DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)

needs_chromium = pytest.mark.skipif(
    _CHROMIUM is None or _DRIVER is None,
    reason="no chromium: apt-get update && apt-get install -y chromium chromium-driver",
)


@contextmanager
def chromium(folder: Path, *, theme: str = "dark") -> Iterator[webdriver.Chrome]:
    """A browser with an empty profile below a folder, where its downloads go too."""
    assert _CHROMIUM is not None
    assert _DRIVER is not None
    options = webdriver.ChromeOptions()
    options.binary_location = _CHROMIUM
    for flag in (*_FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(folder / "downloads")})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(_DRIVER))
    try:
        media = [{"name": "prefers-color-scheme", "value": theme}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
        yield driver
    finally:
        driver.quit()


class Page:
    """The page as a person uses it: by what is written on things."""

    def __init__(self, driver: webdriver.Chrome, url: str, *, width: int = 1280, height: int = 800) -> None:
        self.driver = driver
        self.size(width, height)
        driver.get(url)
        self.until(lambda: driver.find_elements(By.CSS_SELECTOR, "channel-list h1"), "the page has filled")

    def size(self, width: int, height: int) -> None:
        """Give the window a size in CSS pixels."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700},
        )

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait for a condition; an element that was just made anew is looked up again."""
        wait = WebDriverWait(self.driver, WAIT, 0.05, ignored_exceptions=[WebDriverException, LookupError])
        try:
            return wait.until(lambda driver: condition(), f"not within {WAIT:g} s: {what}")
        except TimeoutException:
            self.picture("stuck")
            raise

    def all(self, css: str) -> list[WebElement]:
        """The elements shown now."""
        return [each for each in self.driver.find_elements(By.CSS_SELECTOR, css) if each.is_displayed()]

    def see(self, css: str, words: str = "") -> WebElement:
        """Wait for the last element that is shown and holds these words."""
        return self.until(
            lambda: [each for each in self.all(css) if words in each.text][-1], f"{css} {words!r}"
        )

    def press(self, css: str, words: str = "") -> None:
        """Press what `see` finds."""
        self.until(lambda: [self.see(css, words).click()], f"{css} {words!r} can be pressed")

    def keys(self, *keys: str) -> None:
        """Type into whatever has the focus."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def act_as(self, username: str) -> None:
        """Become another member."""
        self.press(".actor")
        self.see(".picker input").send_keys(username)
        self.keys(Keys.ENTER)
        self.see(f".actor[data-actor='{username}']")

    def go(self, channel: str) -> None:
        """Open a text channel."""
        self.press(f"[data-channel='{channel}']")
        self.see("chat-head h2", channel)

    def join(self, room: str, username: str) -> None:
        """Sit down in a voice room as whoever one is."""
        self.press(f"[data-channel='{room}']")
        self.see(f"[data-room='{room}'] [data-member='{username}']")

    def command(self, name: str) -> None:
        """Type a slash command until its card is open."""
        self.see("#say").send_keys(f"/{name}")
        self.see(".command-menu .active", f"/{name}")
        self.keys(Keys.ENTER)
        self.see(".command-card .command-head", f"/{name}")

    def option(self, name: str, label: str) -> None:
        """Pick an option's value from its list."""
        self.press(f".command-card [data-option='{name}'] .select")
        self.press(".picker li", label)
        self.see(f".command-card [data-option='{name}'] .select", label)

    def run(self) -> None:
        """Run the command whose card is open."""
        self.press(".command-card button[type='submit']")
        self.until(lambda: not self.all(".command-card"), "the command has run")

    def says(self, words: str) -> str:
        """Wait until a message holds these words, and return all of the newest that does."""
        return str(self.until(lambda: self._message_with(words), f"a message: {words!r}"))

    def _newest(self) -> WebElement:
        return self.all(".message")[-1]

    def _message_with(self, words: str) -> str | None:
        # A job may post below the message that is looked for before anybody has looked.
        texts = (message.text for message in reversed(self.all(".message")))
        return next((text for text in texts if words in text), None)

    def button(self, label: str) -> None:
        """Press a button of the newest message that has it."""
        self.press(".message .button:not(:disabled)", label)

    def choose(self, placeholder: str, *labels: str) -> None:
        """Pick in a select menu of the newest message that has it."""
        self.press(".message .select", placeholder)
        several = self.see(".picker ul").get_attribute("aria-multiselectable") == "true"
        for label in labels:
            search = self.see(".picker input")
            search.send_keys(Keys.CONTROL, "a")
            search.send_keys(label)
            self.see(".picker li.active", label)
            search.send_keys(Keys.ENTER)
        if several:
            self.press(".picker .button", "Done")
        self.until(lambda: not self.all(".picker"), "the list is closed")

    def about(self, choice: str) -> None:
        """Pick from the menu of the newest message, which shows its button to the mouse."""

        def open_menu() -> bool:
            newest = self._newest()
            ActionChains(self.driver).move_to_element(newest).perform()
            newest.find_element(By.CSS_SELECTOR, ".more").click()
            return True

        self.until(open_menu, "the message's menu")
        self.press(".picker li", choice)
        self.until(lambda: not self.all(".picker"), "the menu is closed")

    def turn(self, seconds: int) -> None:
        """Turn the clock by one of its buttons, and wait until it shows the new time."""
        aim = self.now() + timedelta(seconds=seconds)
        self.press(f"turn-clock [data-step='{seconds}']")
        self.until(lambda: self.now() == aim, f"it is {aim}")

    def now(self) -> datetime:
        """The time that the page shows."""
        return datetime.fromisoformat(str(self.see("turn-clock .now").get_attribute("data-now")))

    def picture(self, name: str) -> None:
        """Take a screenshot, when the environment asks for them."""
        folder = os.environ.get(PICTURES)
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            moving = (
                "return document.getAnimations().some((one) => one.effect.getComputedTiming().endTime < 9e9)"
            )
            self.until(lambda: not self.driver.execute_script(moving), "colours have stopped fading")
            self.driver.save_screenshot(str(Path(folder) / f"page-{name}.png"))

    def complaints(self) -> list[str]:
        """What the browser's console has against the page; refusals of the sandbox are none of it."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["source"] != "network"]
