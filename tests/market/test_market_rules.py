"""Reading UEX's records, pairing raw and refined, and what a zero price means."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from plugins.market.packaged import packaged_materials
from plugins.market.rules import build_materials, form_of, pairs, raw_prices, search_key
from plugins.market.uex import Commodity, Envelope, RawPrice

SEPTEMBER = datetime(2025, 9, 1, tzinfo=UTC)


def refined(key: int, name: str, **fields: object) -> Commodity:
    return Commodity.model_validate({"id": key, "name": name, "is_refined": 1, **fields})


def raw(key: int, name: str, **fields: object) -> Commodity:
    return Commodity.model_validate({"id": key, "name": name, "is_raw": 1, "is_refinable": 1, **fields})


def test_records_are_read_with_all_that_the_api_varies() -> None:
    row = Commodity.model_validate(
        {
            "id": "8",
            "id_parent": None,
            "name": "Aphorite &amp; friends",
            "code": None,
            "price_sell": "216115.50",
            "is_raw": "1",
            "is_harvestable": 1,
            "is_refinable": None,
            "date_modified": "",
            "a_field_of_next_year": {"x": 1},
        }
    )
    assert (row.id, row.id_parent, row.name, row.code) == (8, 0, "Aphorite & friends", "")
    assert (row.price_sell, row.date_modified, form_of(row)) == (216_116, 0, "gem")


@pytest.mark.parametrize("data", [None, []])
def test_an_empty_envelope_has_no_rows(data: object) -> None:
    assert Envelope.model_validate({"status": "ok", "http_code": "200", "data": data}).rows(Commodity) == []


def test_an_envelope_with_one_object() -> None:
    envelope = Envelope.model_validate({"data": {"id": 1, "name": "Agricium"}})
    assert [row.id for row in envelope.rows(Commodity)] == [1]


def test_an_envelope_with_an_error_is_refused() -> None:
    envelope = Envelope.model_validate({"status": "requests_limit_reached", "http_code": 400, "data": None})
    with pytest.raises(ValueError, match="requests_limit_reached"):
        envelope.rows(Commodity)


def test_pairs_by_parent_in_either_direction_then_by_name() -> None:
    records = [
        refined(11, "Beryl", id_parent=12),
        raw(12, "Beryl (Raw)"),
        refined(33, "Gold"),
        raw(34, "Something else (Ore)", id_parent=33),
        refined(58, "Quantainium"),
        raw(59, "Quantanium (Raw)", id_parent=0),
        raw(99, "Nothing like it (Ore)"),
    ]
    assert pairs(records) == {12: 11, 34: 33, 59: 58}


def test_a_code_shared_by_ore_and_refined_does_not_mix_their_prices() -> None:
    records = [refined(1, "Agricium", code="AGRI", price_sell=2349), raw(2, "Agricium (Ore)", code="AGRI")]
    rows = [RawPrice.model_validate({"id_commodity": 2, "price_sell": 1035})]
    made = {
        m.id: (m.name, m.form, m.price) for m in build_materials(records, rows, source="s", as_of=SEPTEMBER)
    }
    assert made == {1: ("Agricium", "refined", 2349), 2: ("Agricium", "raw", 1035)}


def test_a_zero_price_is_missing() -> None:
    made = build_materials([refined(1, "Torite", price_sell=0)], [], source="s", as_of=SEPTEMBER)
    assert made[0].price is None


def test_raw_prices_are_averaged_over_terminals_without_those_that_have_none() -> None:
    rows = [
        RawPrice.model_validate(
            {"id_commodity": 12, "price_sell": price, "price_sell_avg": average, "date_modified": at}
        )
        for price, average, at in ((1148, 0, 200), (9999, 1151, 100), (0, 0, 50))
    ]
    assert raw_prices(rows) == {12: (1150, datetime.fromtimestamp(100, UTC))}


@pytest.mark.parametrize("word", ["Quantanium", "quantainium", "QUANTAINIUM (Raw)", "Quantanium (ore) "])
def test_one_key_for_all_spellings(word: str) -> None:
    assert search_key(word) == "quantanium"


def test_the_packaged_list() -> None:
    made = packaged_materials()
    by_key = {(m.name, m.form): m for m in made}
    assert len({m.id for m in made}) == len(made)
    assert {m.source for m in made} == {"offline sample"}
    assert by_key["Quantanium", "refined"].price == 22_210
    assert by_key["Quantanium", "raw"].price == 10_117
    assert by_key["Gold", "refined"].as_of == SEPTEMBER
    assert by_key["Torite", "refined"].price is None
    assert by_key["Hadanite", "gem"].price == 275_000
    assert {m.form for m in made} == {"refined", "raw", "gem", "salvage"}
    # Ids that were never seen in a record of UEX are our own.
    assert by_key["Quantanium", "refined"].id < 0
    assert by_key["Quantanium", "raw"].id == 59
