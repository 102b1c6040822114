"""Bring the English text catalogs up to date with the sources: `make messages`.

Each package that shows texts (the core, every plugin) keeps its own catalog beside its code. English
needs no translator: the text in the source is the translation. The catalog is the list that translators
of other languages start from, and the test suite checks that it is complete.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import write_po

ROOT = Path(__file__).resolve().parent.parent
# Which arguments of which functions hold texts.
KEYWORDS = {"_": None, "translate": None, "plural": (2, 3)}
_NEVER = datetime(2026, 1, 1, tzinfo=UTC)
PLACE = Path("locale", "en", "LC_MESSAGES")


def packages(root: Path = ROOT) -> Iterator[Path]:
    """Yield the folders of the packages that have a catalog of their own."""
    yield root / "core"
    for folder in sorted((root / "plugins").iterdir()):
        if (folder / "manifest.toml").is_file():
            yield folder


def catalog_of(package: Path) -> Catalog:
    """Return the English catalog of the texts that the sources of `package` hold."""
    catalog = Catalog(locale="en", domain="redlegion", project="Red Legion", fuzzy=False)
    found = extract_from_dir(package, method_map=[("**.py", "python")], keywords=KEYWORDS)
    for _file, _line, text, _comments, context in found:
        texts = text if isinstance(text, tuple) else (text,)
        # Line numbers are left out: they would change the catalog with every edit of the code.
        catalog.add(text, string=texts if len(texts) > 1 else texts[0], context=context)
    return catalog


def written(catalog: Catalog) -> tuple[bytes, bytes]:
    """Return the contents of the catalog's .po and .mo files, the same for the same texts."""
    po, mo = io.BytesIO(), io.BytesIO()
    # No header: it holds the time of writing.
    write_po(po, catalog, sort_output=True, omit_header=True, width=100)
    header = b'msgid ""\nmsgstr ""\n"Language: en\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    header += b'"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
    plain = Catalog(locale="en", creation_date=_NEVER, revision_date=_NEVER, fuzzy=False)
    for message in catalog:
        if message.id:
            plain.add(message.id, string=message.string, context=message.context)
    write_mo(mo, plain)
    return header + po.getvalue(), mo.getvalue()


def outdated(root: Path = ROOT) -> Iterator[tuple[Path, bytes | None]]:
    """Yield every catalog file that differs from the sources, with what it should hold (None: no file)."""
    for package in packages(root):
        catalog = catalog_of(package)
        files = dict(zip((".po", ".mo"), written(catalog), strict=True))
        for suffix, content in files.items():
            path = package / PLACE / f"redlegion{suffix}"
            wanted = content if len(catalog) else None
            if (path.read_bytes() if path.is_file() else None) != wanted:
                yield path, wanted


def main() -> int:
    """Write the files that are out of date and say which."""
    for path, content in list(outdated()):
        if content is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
