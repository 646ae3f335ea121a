"""The list of models as a query: what fits into an id of Discord, and what comes back of it."""

import re
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.catalog import Ability, Catalog, Model
from bot.money import MAX_MICROS
from bot.records import Record
from cogs.ui.model_query import (
    KEY,
    MOST_KEY,
    STATE,
    Query,
    Sort,
    Supports,
    find,
    key_of,
    model_of,
    query_of,
)

QUERIES = st.builds(
    Query,
    sort=st.sampled_from(Sort),
    supports=st.frozensets(st.sampled_from(Supports)),
    free=st.booleans(),
    max_price=st.none() | st.integers(0, MAX_MICROS),
    page=st.integers(1, 9999),
)


def model(name: str, *, about: int | None = 1_000, released: date | None = None) -> Model:
    abilities = frozenset({Ability.EDIT})
    return Model(name, name, about, about, about, abilities, (), released, max_images=16)


def names(query: Query, *models: Model, records: dict[str, Record] | None = None) -> list[str]:
    known = records or {}
    found = find(query, models, popular=["v/liked"], record=known.get, allowed=lambda _: True)
    return [each.id for each in found.models]


@example(Query(max_price=MAX_MICROS, page=9999), "v/" + "x" * 98)
@given(QUERIES, st.text(min_size=1, max_size=100))
def test_every_query_and_model_fit_into_an_id_and_come_back(query: Query, name: str) -> None:
    custom_id = f"model:default:{query.state}:{key_of(name)}"
    found = re.fullmatch(rf"model:default:{STATE}:{KEY}", custom_id, flags=re.DOTALL)

    assert len(custom_id) <= 100
    assert found is not None
    assert query_of(found) == query
    assert found["key"] == key_of(name)
    assert len(name) > MOST_KEY or found["key"] == name


class Listing(Catalog):
    """A catalogue with models of long names."""

    def __init__(self, *models: Model) -> None:
        self._listed = models

    @property
    def models(self) -> tuple[Model, ...]:
        return self._listed

    def get(self, name: str) -> Model | None:
        return next((each for each in self._listed if each.id == name), None)


def test_a_long_name_is_found_again_and_is_not_mistaken_for_one_that_begins_alike() -> None:
    first, second = (model("v/" + "x" * 90 + end) for end in ("1", "2"))
    catalog = Listing(first, second)

    assert model_of(key_of(first.id), catalog) == first.id
    assert model_of(key_of(second.id), catalog) == second.id
    gone = key_of("v/" + "x" * 90 + "3")
    assert model_of(gone, catalog) == gone
    assert model_of("v/short", catalog) == "v/short"


def test_what_was_measured_too_little_comes_after_what_was_measured_well() -> None:
    lucky = Record(tries=1, made=1, median_ms=10, p95_ms=10)
    steady = Record(tries=9, made=9, median_ms=900, p95_ms=950)
    records = {"v/lucky": lucky, "v/steady": steady}
    models = [model("v/never"), model("v/lucky"), model("v/steady")]

    assert names(Query(Sort.FASTEST), *models, records=records) == [
        "v/steady",
        "v/lucky",
        "v/never",
    ]


def test_popular_is_followed_by_newest_and_unknown_dates_are_old() -> None:
    models = [
        model("v/undated"),
        model("v/old", released=date(2020, 1, 1)),
        model("v/new", released=date(2026, 1, 1)),
        model("v/liked"),
    ]
    assert names(Query(), *models) == ["v/liked", "v/new", "v/old", "v/undated"]


@pytest.mark.parametrize(("page", "shown"), [(1, 1), (2, 2), (3, 2), (9999, 2)])
def test_a_page_that_is_not_there_is_the_last_one(page: int, shown: int) -> None:
    models = [model(f"v/{number}") for number in range(9)]
    found = find(
        Query(page=page), models, popular=(), record=lambda _: None, allowed=lambda _: True
    )

    assert (found.query.page, found.pages, found.total) == (shown, 2, 9)


def test_nothing_found_is_one_empty_page() -> None:
    found = find(
        Query(page=7), [model("v/a")], popular=(), record=lambda _: None, allowed=lambda _: False
    )
    assert (found.query.page, found.pages, found.total, found.models) == (1, 1, 0, ())


def test_a_model_without_a_price_is_the_dearest_and_never_within_a_highest_price() -> None:
    models = [
        model("v/unknown", about=None),
        model("v/dear", about=9_000),
        model("v/free", about=0),
    ]

    assert names(Query(Sort.PRICE), *models) == ["v/free", "v/dear", "v/unknown"]
    assert names(Query(max_price=MAX_MICROS), *models) == ["v/dear", "v/free"]
