"""Frozen dataclasses made the quick way are what the class itself makes."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from core.values import quick_maker


@dataclass(frozen=True, slots=True)
class Spot:
    """A place with a name."""

    x: int
    y: int = 2
    names: list[str] = field(default_factory=list)

    @property
    def sum(self) -> int:
        """Both together."""
        return self.x + self.y


make_spot = quick_maker(Spot)


def test_what_is_made_is_of_the_class_and_equal() -> None:
    quick, usual = make_spot(1, 5, ["here"]), Spot(1, 5, ["here"])
    assert type(quick) is Spot
    assert (quick, repr(quick), quick.sum) == (usual, repr(usual), 6)


def test_it_is_frozen() -> None:
    made = make_spot(1)
    with pytest.raises(FrozenInstanceError):
        made.x = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del made.y
    with pytest.raises((AttributeError, TypeError)):
        made.z = 3  # type: ignore[attr-defined]


def test_defaults_and_names_are_those_of_the_class() -> None:
    first, second = make_spot(1), make_spot(x=3, names=["there"])
    assert (first, second) == (Spot(1), Spot(3, names=["there"]))
    first.names.append("mine")
    assert make_spot(1).names == []
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        make_spot()  # type: ignore[call-arg]


def test_it_is_copied_changed_and_stored_like_any_other() -> None:
    made = make_spot(1, 5, ["here"])
    for other in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made)), replace(made)):
        assert (type(other), other) == (Spot, made)
    assert replace(made, y=6) == Spot(1, 6, ["here"])


def test_a_class_with_more_than_fields_is_refused() -> None:
    @dataclass(frozen=True, slots=True)
    class Checked:
        number: int

        def __post_init__(self) -> None:
            raise AssertionError

    @dataclass(frozen=True, slots=True)
    class Further(Spot):
        z: int = 0

    for kind in (Checked, Further):
        with pytest.raises(TypeError, match=f"{kind.__name__} cannot be made the quick way"):
            quick_maker(kind)
