"""docs/validation.md against the summaries of the simulations, and the writing and reading of summaries."""

import runpy

import numpy as np
import pytest

from surrogacy.simulation.chunks import simulate_chunk
from surrogacy.simulation.performance import Performance, summarise
from surrogacy.simulation.scenarios import scenarios
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(ROOT / "validation" / "coverage.py"))


def test_document_agrees_with_the_summaries(script):
    assert (ROOT / "docs" / "validation.md").read_text(encoding="utf-8") == script["document"]()


@pytest.mark.parametrize("path", sorted((ROOT / "validation" / "coverage").glob("*.csv")), ids=lambda path: path.stem)
def test_summaries_are_of_the_scenarios(script, path):
    rows = script["read_rows"](path.stem)
    assert {(row.scenario, row.k) for row in rows} == {(s.name, s.k) for s in scenarios(path.stem)}
    for row in rows:
        performance = row.performance
        assert performance.data_sets > 0
        with_interval = round(performance.data_sets * (1 - performance.failures))
        if with_interval > 1:
            assert 0 <= performance.coverage <= 1
            largest = 0.5 / np.sqrt(with_interval - 1)  # if half of the data sets are covered
            assert performance.coverage_error <= largest + 1e-5


def test_a_summary_can_be_recomputed(script):
    """The first scenario of the first topic: all four chunks, and the row that the file contains."""
    scenario = scenarios("correlation")[0]
    expected = summarise(simulate_chunk(scenario, seed) for seed in range(4))[0]
    row = script["read_rows"]("correlation")[0]
    assert (row.scenario, row.k) == (scenario.name, scenario.k)
    assert row.performance.coverage == pytest.approx(expected.coverage, abs=1e-6)
    assert row.performance.median_width == pytest.approx(expected.median_width, rel=1e-5)
    assert row.performance.data_sets == expected.data_sets == 2000


def test_coverage_of_unequal_weights(script):
    """Independent simulation: coverage with the number of trials .913 to .935 at the spread of sizes of the sets.

    It refers to scatter that does not depend on the size. Four Monte Carlo errors are allowed about that range.
    """
    rows = [row for row in script["read_rows"]("correlation") if row.scenario == "no sampling errors"]
    target = "correlation of the estimated effects"
    by_number = [row for row in rows if row.performance.target == target]
    plain = [row.performance for row in by_number if row.performance.procedure == "Fisher, number of trials"]
    default = [row.performance for row in by_number if row.performance.procedure == "Fisher, default rule"]
    assert len(plain) == len(default) == 4
    for performance in plain:
        assert 0.913 - 4 * performance.coverage_error < performance.coverage < 0.935 + 4 * performance.coverage_error
    for performance in default:
        assert performance.coverage > 0.95 - 2 * performance.coverage_error


def test_cell_of_a_table(script):
    values = ["Wald", "slope", 2000, 0.9512, 0.0048, 1.3, 1.234, 0.0, 0.0]
    assert script["_cell"](Performance(*values, 0.001), 2000) == "0.951 ± 0.005; 1.23"
    assert script["_cell"](Performance(*values, 0.12), 2000) == "0.951 ± 0.005; 1.23; 12% none"
    assert script["_cell"](Performance(*values, 0.0), 3000) == "0.951 ± 0.005; 1.23; 2,000 data sets"
    for width, words in ((float("inf"), "; ∞"), (float("nan"), "")):
        values[6] = width
        assert script["_cell"](Performance(*values, 0.0), 2000) == f"0.951 ± 0.005{words}"
    assert script["_cell"](Performance(*values, 1.0), 2000) == "no interval"
    assert script["_cell"](None, 2000) == ""
