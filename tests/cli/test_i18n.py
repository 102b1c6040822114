"""Texts: catalogs are found per package, the locale belongs to the task, unknown texts stay as they are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from core import i18n
from core.i18n import add_catalogs, current_locale, plural, translate, use_locale


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package `german_texts` with a German catalog, known for the time of the test."""
    catalog = Catalog(locale="de", fuzzy=False)
    catalog.add("Stop.", "Halt.")
    catalog.add(("{n} member", "{n} members"), ("{n} Mitglied", "{n} Mitglieder"))
    place = tmp_path / "german_texts/locale/de/LC_MESSAGES"
    place.mkdir(parents=True)
    (tmp_path / "german_texts/__init__.py").write_text("", encoding="utf-8")
    with (place / "redlegion.mo").open("wb") as file:
        write_mo(file, catalog)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(i18n, "_packages", ["core"])
    i18n._translations.cache_clear()
    add_catalogs("german_texts")
    yield
    i18n._translations.cache_clear()


@pytest.mark.usefixtures("german")
def test_translates_in_the_block_only() -> None:
    with use_locale("de"):
        assert translate("Stop.") == "Halt."
        assert translate("Not in the catalog.") == "Not in the catalog."
        assert plural(1, "{n} member", "{n} members").format(n=1) == "1 Mitglied"
        assert plural(3, "{n} member", "{n} members").format(n=3) == "3 Mitglieder"
    assert translate("Stop.") == "Stop."
    assert plural(3, "{n} member", "{n} members") == "{n} members"


@pytest.mark.usefixtures("german")
async def test_locale_belongs_to_the_task() -> None:
    async def other() -> str:
        await asyncio.sleep(0)
        return translate("Stop.")

    with use_locale("de"):
        inside = asyncio.create_task(other())
    outside = asyncio.create_task(other())
    assert (await inside, await outside) == ("Halt.", "Stop.")


def test_empty_text_stays_empty() -> None:
    assert translate("") == ""


@pytest.mark.parametrize("locale", ["../../etc", "", "d", "xx_" * 9])
def test_what_is_no_locale_means_english(locale: str) -> None:
    with use_locale(locale):
        assert current_locale() == "en"


@pytest.mark.parametrize("locale", ["en-US", "pt-BR", "zh-CN", "sv-SE", "tlh"])
def test_locales_of_discord_are_taken(locale: str) -> None:
    with use_locale(locale):
        assert translate("Something") == "Something"
