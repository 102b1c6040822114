"""Texts in the reader's language: gettext catalogs, one per package, and the locale of the moment.

A package keeps its catalogs in `locale/<language>/LC_MESSAGES/redlegion.mo`. The text in the source is
the English one and the key; a text without a translation is shown as it is written.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from importlib import resources
from threading import Lock

DOMAIN = "redlegion"
DEFAULT_LOCALE = "en"

_locale: ContextVar[str] = ContextVar("locale", default=DEFAULT_LOCALE)
_LOCALE = re.compile(r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,4}){0,2}$")
_packages: list[str] = ["core"]
_changing = Lock()


def translate(text: str) -> str:
    """Return `text` in the current locale; plugins import this as `_`."""
    # gettext answers the empty text with the catalog's header.
    return _translations(_locale.get()).gettext(text) if text else text


def plural(n: int, one: str, many: str) -> str:
    """Return `one` or `many` in the current locale, whichever fits `n`.

    Both may hold `{n}`, to be filled by the caller's `.format(n=...)`.
    """
    return _translations(_locale.get()).ngettext(one, many, n)


def current_locale() -> str:
    """Return the locale that texts are translated to here, for example "en" or "pt-BR"."""
    return _locale.get()


@contextmanager
def use_locale(locale: str) -> Iterator[None]:
    """Translate to `locale` within the block, in this task and those it starts.

    :param locale: as Discord names it ("en-US", "de", "pt-BR"); anything else means English.
    """
    token = _locale.set(locale if _LOCALE.match(locale) else DEFAULT_LOCALE)
    try:
        yield
    finally:
        _locale.reset(token)


def set_locale(locale: str) -> None:
    """Translate to `locale` from here on, for the rest of this task; see `use_locale`."""
    _locale.set(locale if _LOCALE.match(locale) else DEFAULT_LOCALE)


def add_catalogs(package: str) -> None:
    """Use the catalogs of `package` too, after those that were added before it.

    :param package: the import name of a package, for example "plugins.payroll"; it need not have catalogs.
    """
    with _changing:
        if package not in _packages:
            _packages.append(package)
            _translations.cache_clear()


@lru_cache(maxsize=64)
def _translations(locale: str) -> gettext.NullTranslations:
    language = locale.replace("-", "_")
    chain = gettext.NullTranslations()
    # A fallback is asked when the one before it does not know the text, so the order is: region before
    # language, and within each the packages as they were added. English texts are their own keys, but
    # the English catalog is asked all the same: it holds the plural rule, and corrections.
    candidates = dict.fromkeys((language, language.partition("_")[0], DEFAULT_LOCALE))
    first = True
    for name in candidates:
        for package in _packages:
            catalog = _catalog(package, name)
            if catalog is None:
                continue
            if first:
                chain, first = catalog, False
            else:
                chain.add_fallback(catalog)
    return chain


def _catalog(package: str, language: str) -> gettext.GNUTranslations | None:
    file = resources.files(package) / "locale" / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
    if not file.is_file():
        return None
    with file.open("rb") as opened:
        return gettext.GNUTranslations(opened)
