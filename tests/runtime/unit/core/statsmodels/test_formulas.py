"""The variables of a formula are columns of the training data, in its kinds and with its values."""

import pandas as pd
import pytest
from modelport_runtime.core.backends.statsmodels.formulas import column_of, levels_of, names_in
from modelport_runtime.core.signature import Column

KNOWN = ["age", "income", "city", "zip code", "center", "np"]


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("income", ["income"]),
        ("np.log(age)", ["age", "np"]),
        ("C(city, Treatment('Rome'))", ["city"]),
        ("Q('zip code')", ["zip code"]),
        ("C(Q('zip code'))", ["zip code"]),
        ("Q('unknown')", []),
        ("bs(income, df=4)", ["income"]),
        ("I(age ** 2 + income)", ["age", "income"]),
        # A function is none of the data, whatever a column is called.
        ("center(income)", ["income"]),
        ("income > threshold", ["income"]),
        ("city.str.lower()", ["city"]),
        ("np.where(income > 3, income, age)", ["age", "income", "np"]),
    ],
)
def test_an_expression_reads_columns(code: str, names: list[str]) -> None:
    assert sorted(names_in(code, KNOWN)) == names


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("city", "city"),
        ("C(city)", "city"),
        ("C(city, Sum)", "city"),
        ("Q('zip code')", "zip code"),
        ("C(Q('zip code'))", "zip code"),
        ("`zip code`", "zip code"),
        ("C(city.str.lower())", None),
        ("C(income > 3)", None),
        ("C()", None),
        ("C(elsewhere)", None),
    ],
)
def test_the_values_of_a_factor_are_those_of_a_column_that_it_takes_as_it_is(
    code: str, name: str | None
) -> None:
    found = levels_of({code: ["a", "b"], "income": None}, KNOWN)
    assert found == ({} if name is None else {name: ("a", "b")})


@pytest.mark.parametrize(
    ("values", "levels", "column"),
    [
        (pd.Series([1.5]), None, Column("x")),
        (pd.Series([1, 2]), None, Column("x")),
        (pd.Series([1, 2]), (1, 2), Column("x", "integer", "int64", values=(1, 2))),
        (pd.Series([True]), (False, True), Column("x", "boolean", "bool")),
        (pd.Series([1, 2], dtype="Int64"), None, Column("x")),
        (pd.Series(["a"]), ("a", "b"), Column("x", "string", "object", values=("a", "b"))),
        (pd.Series(["a"], dtype=object), None, Column("x", "any", "object")),
        (
            pd.Series(["a"], dtype=pd.CategoricalDtype(["a", "b"])),
            ("a", "b"),
            Column("x", "string", "category", values=("a", "b")),
        ),
        (
            pd.Series(pd.to_datetime(["2024-01-01"])).dt.as_unit("s"),
            None,
            Column("x", "string", "datetime64[s]"),
        ),
    ],
)
def test_a_column_is_like_that_of_the_training_data(
    values: "pd.Series[object]", levels: tuple[object, ...] | None, column: Column
) -> None:
    assert column_of("x", values, levels) == column
