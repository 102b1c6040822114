"""Materials in the database; plain functions for db.read and db.write."""

from __future__ import annotations

from collections.abc import Iterable

from plugins.market.models import MaterialRow
from plugins.market.rules import FORMS, Material, search_key
from redlegion.database import current_now


def _view(row: MaterialRow) -> Material:
    return Material(
        id=row.id,
        name=row.name,
        code=row.code,
        form=row.form,
        price=row.price,
        source=row.source,
        as_of=row.as_of,
    )


def save_materials(found: Iterable[Material]) -> int:
    """Insert or refresh materials by id; store function.

    A price that is older than the stored one, or missing where one is stored, changes nothing.

    :returns: how many rows were new or changed.
    """
    changed = 0
    known = {row.id: _view(row) for row in MaterialRow.select()}
    for material in found:
        before = known.get(material.id)
        if before == material or (before is not None and _keeps(before, material)):
            continue
        values = {
            "name": material.name,
            "search": search_key(material.name),
            "code": material.code,
            "form": material.form,
            "price": material.price,
            "source": material.source,
            "as_of": material.as_of,
        }
        if before is None:
            MaterialRow.insert(id=material.id, **values).on_conflict(
                conflict_target=[MaterialRow.id], update={**values, "updated_at": current_now()}
            ).execute()
        else:
            MaterialRow.update(**values).where(MaterialRow.id == material.id).execute()
        changed += 1
    return changed


def _keeps(before: Material, after: Material) -> bool:
    if before.price is None:
        return False
    return after.price is None or after.as_of < before.as_of


def materials(form: str | None = None) -> list[Material]:
    """Return materials, dearest first, those without a price last; store function.

    :param form: refined, raw, gem or salvage; None means all.
    :raises ValueError: no such form.
    """
    if form is not None and form not in FORMS:
        raise ValueError(f"no form {form!r}; there are {', '.join(FORMS)}")
    query = MaterialRow.select()
    if form is not None:
        query = query.where(MaterialRow.form == form)
    found = [_view(row) for row in query]
    return sorted(found, key=lambda m: (m.price is None, -(m.price or 0), m.name, m.id))


def get_material(material_id: int) -> Material | None:
    """Return one material by id, None when there is none; store function."""
    row = MaterialRow.get_or_none(MaterialRow.id == material_id)
    return None if row is None else _view(row)


def find_material(text: str) -> list[Material]:
    """Return the materials that a person may mean by `text`, best first; store function.

    :param text: a name in any case, with or without "(Ore)" or "(Raw)", the other spelling of Quantanium,
        the start of a name, or a code.
    :returns: at most 25; an exact name comes before a code, that before the start of a name.
    """
    key = search_key(text.strip())
    if not key:
        return []
    hits: list[tuple[int, int, str, int, Material]] = []
    for row in MaterialRow.select():
        if row.search == key:
            rank = 0
        elif row.code.casefold() == key:
            rank = 1
        elif row.search.startswith(key):
            rank = 2
        else:
            continue
        hits.append((rank, FORMS.index(row.form), row.name, row.id, _view(row)))
    return [hit[-1] for hit in sorted(hits, key=lambda hit: hit[:4])[:25]]
