"""What the records mean: which form a material has, what belongs together, what it sells for."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from plugins.market.uex import Commodity, RawPrice, instant

FORMS = ("refined", "raw", "gem", "salvage")

# One word for one ore: the game and Regolith write Quantanium, UEX writes Quantainium.
ALIASES = {"quantainium": "quantanium", "aluminium": "aluminum"}

_SUFFIX = re.compile(r"\s*\((?:ore|raw)\)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Material:
    """Something that can be mined or salvaged and sold, in one form.

    :param id: UEX's commodity id; negative where it is our own because UEX's is not known.
    :param name: without "(Ore)" or "(Raw)".
    :param code: UEX's code, shared by ore and refined, "" when not known.
    :param form: refined, raw, gem or salvage.
    :param price: whole aUEC per SCU; None means missing, which is never the same as zero.
    :param source: where the price comes from, in words.
    :param as_of: when the price was true.
    """

    id: int
    name: str
    code: str
    form: str
    price: int | None
    source: str
    as_of: datetime


def plain_name(name: str) -> str:
    """Return the name without the suffix that UEX adds, inconsistently, to raw ores."""
    return _SUFFIX.sub("", name).strip()


def search_key(text: str) -> str:
    """Return what two spellings of one material have in common."""
    key = plain_name(text).casefold()
    return ALIASES.get(key, key)


def form_of(record: Commodity) -> str | None:
    """Return the form of a record, or None when it is nothing a mining organisation digs or scrapes."""
    if record.is_refined:
        return "refined"
    if record.is_raw and record.is_harvestable and not record.is_refinable:
        return "gem"
    if record.is_raw:
        return "raw"
    return "salvage" if record.kind.casefold() == "scrap" else None


def pairs(records: Sequence[Commodity]) -> dict[int, int]:
    """Match raw ores with what they refine to.

    By id_parent first, in whichever direction the record has it; by the name without suffix where there
    is none. Never by code: ore and refined share it.

    :returns: raw id -> refined id.
    """
    by_id = {record.id: record for record in records}
    refined = [record for record in records if form_of(record) == "refined"]
    by_name = {search_key(record.name): record.id for record in refined}
    by_parent = {record.id_parent: record.id for record in refined if record.id_parent}
    found: dict[int, int] = {}
    for record in records:
        if form_of(record) != "raw":
            continue
        parent = by_id.get(record.id_parent)
        if parent is not None and form_of(parent) == "refined":
            found[record.id] = parent.id
        elif record.id in by_parent:
            found[record.id] = by_parent[record.id]
        elif (match := by_name.get(search_key(record.name))) is not None:
            found[record.id] = match
    return found


def raw_prices(rows: Iterable[RawPrice]) -> dict[int, tuple[int, datetime | None]]:
    """Return per raw ore the half-up mean of the refineries' prices and the date of the oldest of them."""
    grouped: dict[int, list[RawPrice]] = defaultdict(list)
    for row in rows:
        if row.price > 0:
            grouped[row.id_commodity].append(row)
    answer: dict[int, tuple[int, datetime | None]] = {}
    for commodity, group in grouped.items():
        total = sum(row.price for row in group)
        mean = (2 * total + len(group)) // (2 * len(group))
        dates = [row.date_modified for row in group if row.date_modified]
        answer[commodity] = (mean, instant(min(dates)) if dates else None)
    return answer


def build_materials(
    records: Sequence[Commodity], raw: Iterable[RawPrice], *, source: str, as_of: datetime
) -> list[Material]:
    """Turn UEX's records into materials.

    :param source: words shown with each price.
    :param as_of: the age of a price whose record has no date.
    :returns: one material per id, by id; a zero price became None.
    """
    sold_raw = raw_prices(raw)
    twin = pairs(records)
    by_id = {record.id: record for record in records}
    found: dict[int, Material] = {}
    for record in records:
        form = form_of(record)
        if form is None:
            continue
        price, date = record.price_sell, instant(record.date_modified)
        if form == "raw":
            # /commodities has 0 for a raw ore: only the refineries' own list knows.
            price, date = sold_raw.get(record.id, (price, date))
        refined = by_id.get(twin.get(record.id, 0))
        code = record.code or (refined.code if refined is not None else "")
        name = plain_name(refined.name if refined is not None else record.name)
        if name.casefold() in ALIASES:
            name = ALIASES[name.casefold()].capitalize()
        found[record.id] = Material(
            id=record.id,
            name=name,
            code=code,
            form=form,
            price=price if price > 0 else None,
            source=source,
            as_of=date or as_of,
        )
    return [found[key] for key in sorted(found)]
