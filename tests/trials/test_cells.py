"""One cell: intervals with their level, levels, rounding."""

import math

import pytest

from surrogacy.trials.cells import IntervalCell, half_unit, parse_interval, parse_level, printed_range
from surrogacy.trials.rows import Row

INTERVALS = {
    "0.59 (0.41-0.87)": ("0.59", "0.41", "0.87", ""),
    "0.59 [0.41 to 0.87]": ("0.59", "0.41", "0.87", ""),
    "0.59 (95% CI 0.41, 0.87)": ("0.59", "0.41", "0.87", "95%"),
    "0.59 [90% CI: 0.41\u20130.87]": ("0.59", "0.41", "0.87", "90%"),
    "0.59 (98.7% CI, 0.41 to 0.87)": ("0.59", "0.41", "0.87", "98.7%"),
    "0.59 {0.41; 0.87}": ("0.59", "0.41", "0.87", ""),
    "0.59, 80% CI 0.41 to 0.87": ("0.59", "0.41", "0.87", "80%"),
    "0.59 (0.41-0.87; 99% CI)": ("0.59", "0.41", "0.87", "99%"),
    "0.59 (CI95 0.41-0.87)": ("0.59", "0.41", "0.87", "95%"),
    "HR 0.59 (97.5 % confidence interval 0.41-0.87)": ("0.59", "0.41", "0.87", "97.5%"),
    "-0.53 (-0.89 to -0.14)": ("-0.53", "-0.89", "-0.14", ""),
    "0.41-0.87": ("", "0.41", "0.87", ""),
    "[0.41, 0.87]": ("", "0.41", "0.87", ""),
    "90% CI 0.41-0.87": ("", "0.41", "0.87", "90%"),
}
OTHER_CELLS = (
    "0.59",
    "",
    "about 0.59 (0.41-0.87)",
    "0.59 (0.41-0.87), p = 0.006",
    "0.59 (0.41)",
    "0.59 (90% CI 0.41-0.87, 95% CI 0.39-0.9)",
    "0.59 (IQR 0.41-0.87)",
    "0.59 \u00b1 0.1",
    "NR",
)


@pytest.mark.parametrize("cell", INTERVALS)
def test_intervals(cell):
    assert parse_interval(cell) == IntervalCell(*INTERVALS[cell])


@pytest.mark.parametrize("cell", OTHER_CELLS)
def test_cells_that_are_not_intervals(cell):
    assert parse_interval(cell) is None


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("0.95", 0.95),
        ("95", 0.95),
        ("95%", 0.95),
        ("97.5 %", 0.975),
        ("97,5%", 0.975),
        (".9", 0.9),
        ("high", None),
        ("0.5%", 0.005),
    ],
)
def test_levels(text, level):
    assert parse_level(text) == (None if level is None else pytest.approx(level))


@pytest.mark.parametrize(
    ("text", "half"), [("0.59", 0.005), ("0.5", 0.05), ("1", 0.05), ("0.861", 0.0005), ("1.2e-4", 5e-6)]
)
def test_half_unit(text, half):
    assert half_unit(text) == pytest.approx(half)


def test_a_logarithm_is_rounded_on_its_own_scale():
    row = Row("x", cells={"hr": f"{math.exp(-0.31):.10g}", "log_hr": "-0.31"}, logarithms=["hr"])
    assert printed_range(row, "hr") == pytest.approx((math.exp(-0.315), math.exp(-0.305)))
    assert printed_range(Row("x", cells={"hr": "0.73"}), "hr") == pytest.approx((0.725, 0.735))
