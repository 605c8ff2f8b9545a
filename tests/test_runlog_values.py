"""What a cell may hold, and what becomes of a value that does not fit."""

import json
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runlog.encoding import RowEncoder
from runlog.errors import UserError
from runlog.values import Cells


class OneElement:
    """What torch and JAX tensors have in common, without either."""

    def __init__(self, content):
        self.content = content

    def tolist(self):
        return self.content

    def item(self):
        inner = self.content
        while isinstance(inner, list):
            (inner,) = inner
        return inner


@pytest.fixture
def said():
    return []


@pytest.fixture
def cells(said):
    return Cells({}, said.append)


@pytest.mark.parametrize(
    ("name", "value", "cell"),
    [
        ("kl", 1, 1.0),
        ("kl", np.float32(0.5), 0.5),
        ("kl", np.array(0.5), 0.5),
        ("kl", np.array([0.5]), 0.5),
        ("kl", OneElement(0.25), 0.25),
        ("kl", OneElement([0.25]), 0.25),
        ("kl", Fraction(1, 4), 0.25),
        ("timesteps", np.int32(7), 7),
        ("timesteps", 7.0, 7),
        ("line_search_success", np.True_, True),
        ("line_search_success", 1, True),
        ("update_outcome", "accepted", "accepted"),
        ("episode_returns", (1, None, True), [1.0, None, 1.0]),
        ("episode_returns", np.arange(2), [0.0, 1.0]),
        ("episode_returns", OneElement([3.0]), [3.0]),
        ("episode_returns", [], []),
        ("my_number", 3, 3.0),
        ("my_flag", True, True),
        ("my_text", "a\ud800", "a?"),
        ("my_list", np.array([2.0]), [2.0]),
        ("my_tensor", OneElement([2.0]), 2.0),
    ],
)
def test_a_value_becomes_a_cell_of_its_columns_type(cells, said, name, value, cell):
    row = cells.accept({name: value})
    assert row == {name: cell}
    assert type(row[name]) is type(cell)
    assert said == []


def test_none_is_null_and_nan_is_data(cells):
    row = cells.accept({"kl": None, "entropy": math.nan, "value_mean": -math.inf})
    assert repr(row) == "{'entropy': nan, 'value_mean': -inf}"


@pytest.mark.parametrize(
    "value", [{"a": 1}, [[1.0]], ["a"], object(), np.zeros((2, 2)), 1j, np.array([1j, 2]), b"x"]
)
def test_anything_else_is_the_users_error(cells, value):
    with pytest.raises(UserError, match="my_column"):
        cells.accept({"my_column": value})


@pytest.mark.parametrize("other", [True, "text", [1.0]])
def test_the_first_value_of_an_extra_fixes_its_type(cells, said, other):
    assert cells.accept({"mine": None}) == {}
    assert cells.accept({"mine": 1}) == {"mine": 1.0}
    assert cells.accept({"mine": other}) == {}
    assert cells.accept({"mine": other}) == {}
    assert cells.accept({"mine": 2.5}) == {"mine": 2.5}
    assert len(said) == 1
    assert "mine holds float64" in said[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kl", "high"),
        ("kl", [0.1]),
        ("timesteps", 0.5),
        ("timesteps", math.nan),
        ("seed", 2**63),
        ("line_search_success", 0.5),
        ("update_outcome", 1),
        ("episode_returns", 1.0),
    ],
)
def test_a_declared_column_drops_what_is_not_of_its_type(cells, said, name, value):
    assert cells.accept({name: value, "entropy": 1.0}) == {"entropy": 1.0}
    assert len(said) == 1
    assert said[0].startswith(f"{name} holds ")


def test_a_near_miss_of_a_declared_name_is_asked_about_once(cells, said):
    for _ in range(3):
        cells.accept({"policy_los": 1.0, "Entropy": 2.0, "grasp_force": 3.0})
    assert [text.split(" is ")[0] for text in said] == ["policy_los", "Entropy"]
    assert "did you mean policy_loss?" in said[0]
    assert "did you mean entropy?" in said[1]


def test_decimals_are_refused_rather_than_rounded_silently(cells):
    with pytest.raises(UserError, match="Decimal"):
        cells.accept({"mine": Decimal("0.1")})


def test_an_integer_beyond_its_column_is_dropped_and_said_once(cells, said):
    assert cells.accept({"timesteps": 2**63 - 1}) == {"timesteps": 2**63 - 1}
    assert cells.accept({"timesteps": 2**63, "kl": 1.0}) == {"kl": 1.0}
    assert cells.accept({"timesteps": -(2**63) - 1}) == {}
    assert said == ["timesteps holds int64: 9223372036854775808 does not fit and is dropped"]


FLOATS = st.floats() | st.sampled_from([0.0, -0.0, 1.0, 1e22, 5e-324, -1e-7, 2.0**53])
CELLS = (
    FLOATS
    | st.integers(-(2**63), 2**63 - 1)
    | st.booleans()
    | st.text()
    | st.lists(FLOATS | st.none(), max_size=5)
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(), CELLS, max_size=8), st.sampled_from([0, 300]))
def test_a_row_as_text_is_the_row_to_the_last_bit(row, more):
    row |= {"window_reward": [i / 7 for i in range(more)]}

    def exact(cell):
        if isinstance(cell, list):
            return [None if entry is None else repr(float(entry)) for entry in cell]
        return repr(float(cell)) if isinstance(cell, float) else cell

    cells = Cells({}, lambda text: None)
    encoder = RowEncoder(cells, {"run_id": '"%s"'})
    for _ in range(2):  # its shape studied, then known
        wanted = {"run_id": '"%s"'} | cells.accept(row)
        found = json.loads(encoder.text(row))
        assert found.keys() == wanted.keys()
        for name, cell in wanted.items():
            read = float(found[name]) if isinstance(cell, float) else found[name]
            assert exact(read) == exact(cell)


def test_a_shape_that_is_known_is_still_checked_where_its_types_leave_room(said):
    encoder = RowEncoder(Cells({}, said.append), {"seed": 1})
    sound = {"timesteps": 1, "kl": 0.5, "gradient_norms": [0.5], "update_outcome": "accepted"}
    for _ in range(2):
        assert json.loads(encoder.text(sound)) == {"seed": 1} | sound
    strange = {"timesteps": 2**63, "gradient_norms": [1, None], "update_outcome": "\ud800"}
    assert json.loads(encoder.text(sound | strange)) == {
        "seed": 1,
        "kl": 0.5,
        "gradient_norms": [1, None],
        "update_outcome": "?",
    }
    assert len(said) == 1
    with pytest.raises(UserError, match="a cell holds"):
        encoder.text(sound | {"gradient_norms": ["a"]})
    assert json.loads(encoder.text(sound | {"kl": None, "seed": 2}))["seed"] == 2
