"""Probability that R2 is smaller in a set, beside the same probability if the set held no trial."""

import json

import numpy as np
import pytest

from surrogacy.effects import Effects
from surrogacy.evaluation.posterior_differences import odds_ratio, posterior_difference
from surrogacy.fit import main
from surrogacy.models import BivariateBayes
from surrogacy.models.priors import HalfNormal, Uniform, lkj
from tests.support.effects import made_up
from tests.support.pinned_tables import PINNED

DRAWS = 60_000


def empty(name="empty"):
    """Two comparisons whose standard errors of 20 leave the prior as it is."""
    return Effects.from_arrays(
        np.full((2, 2), -0.2), np.full((2, 2), 20.0), trial=[f"{name} {i}" for i in range(2)], name=name
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("second", "expected", "no_data"), [("advanced", 0.80, 0.801), ("llovet-2019-pfs", 0.84, 0.840)]
)
def test_the_probabilities_of_tactics_are_the_prior(trials, second, expected, no_data):
    contrasts, _ = posterior_difference(trials.analysis_set("tactics-2022"), trials.analysis_set(second))
    found = contrasts["r2_trial"]
    assert found.probability_first_smaller == pytest.approx(expected, abs=0.005)
    assert found.probability_no_data == pytest.approx(no_data, abs=6e-4)
    assert found.odds_ratio_no_data == pytest.approx(0.98, abs=0.02)  # the six trials change nothing
    # rho uniform on (-1, 1): P(rho^2 <= x) = sqrt(x), so that the expectation is that of |rho| in the second set
    draws = BivariateBayes().posterior(trials.analysis_set(second)).draw(DRAWS, seed=1)
    assert found.probability_no_data == pytest.approx(np.abs(draws["rho_between"]).mean(), abs=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("rho", [Uniform(-1.0, 1.0), lkj(4.0), Uniform(0.0, 1.0)])
def test_no_data_by_simulation_of_the_prior(rho):
    model = BivariateBayes(rho_between=rho, tau_surrogate=HalfNormal(0.3), tau_final=HalfNormal(0.5))
    second = made_up(15, 4, "second", rho=0.8)
    contrasts, _ = posterior_difference(made_up(12, 5, "first", rho=0.2), second, model)
    generator = np.random.default_rng(7)
    taus = (np.abs(generator.normal(0, sd, DRAWS)) for sd in (0.3, 0.5))
    if isinstance(rho, Uniform):
        correlation = generator.uniform(rho.low, rho.high, DRAWS)
    else:
        correlation = 2 * generator.beta(4, 4, DRAWS) - 1
    tau_surrogate, tau_final = taus
    prior = {"rho_between": correlation, "r2_trial": correlation**2, "slope": correlation * tau_final / tau_surrogate}
    draws = model.posterior(second).draw(DRAWS, seed=8)
    for name, values in prior.items():
        assert contrasts[name].probability_no_data == pytest.approx(float((values < draws[name]).mean()), abs=5e-3), (
            name
        )


def test_a_set_without_information_has_an_odds_ratio_of_1():
    contrasts, said = posterior_difference(empty(), made_up(15, 4, "second"))
    for name in ("r2_trial", "rho_between"):
        assert contrasts[name].odds_ratio_no_data == pytest.approx(1.0, abs=0.02)
    assert "2 trials hardly change the prior" in said[0]


def test_a_set_with_information_moves_the_odds():
    weaker, _ = posterior_difference(made_up(40, 2, "weak", rho=0.0), made_up(40, 3, "strong", rho=0.9))
    assert weaker["r2_trial"].odds_ratio_no_data is None or weaker["r2_trial"].odds_ratio_no_data > 10
    stronger, _ = posterior_difference(made_up(40, 3, "strong", rho=0.98), made_up(40, 2, "weaker", rho=0.9))
    assert stronger["r2_trial"].odds_ratio_no_data < 0.2


def test_odds_ratio():
    assert odds_ratio(0.8, 0.5) == pytest.approx(4.0)
    assert odds_ratio(0.5, 0.8) == pytest.approx(0.25)
    assert odds_ratio(1.0, 0.5) is odds_ratio(0.5, 0.0) is None


@pytest.mark.slow
def test_screen_table_and_document(capsys, tmp_path):
    out = tmp_path / "out"
    arguments = ["tactics-2022", "llovet-2019-pfs", "--model", "weighted-pearson", "--out", str(out), "--format", "svg"]
    assert main([*arguments, *PINNED, "--details"]) == 0
    screen = capsys.readouterr().out
    for words in ("no data: 0.84", "odds ratio: 1.0", "Detectable", "−1.64", "−0.79 v 0.85"):
        assert words in screen
    assert "Power" not in screen
    (record,) = json.loads((out / "results.json").read_text())["differences"]
    assert record["contrasts"]["r2_trial"]["probability_no_data"] == pytest.approx(0.84, abs=1e-3)
    assert record["power"] is None
    assert "p-value" in record["power_note"]
    assert record["detectable_difference"] == pytest.approx(-1.639, abs=1e-3)
    table = (out / "tables" / "differences.md").read_text()
    assert "The same without trials in the first" in table
    assert "Detectable with 80% power" in table
    assert "power to" not in table.lower()
