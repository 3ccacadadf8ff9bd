"""Tables written by metafor, meta and survival (tests/data/programs), and with the columns of RevMan."""

import csv
import io

import numpy as np
import pytest

from surrogacy.errors import DataError
from surrogacy.trials import read_pairs
from surrogacy.trials.user_tables.headings import Heading, interpret_heading
from surrogacy.trials.user_tables.program_headings import percentile, single_percentiles
from tests.conftest import ROOT

PROGRAMS = ROOT / "tests" / "data" / "programs"
TRIALS = ("Alpha", "Beta", "Gamma", "Delta")
RATIOS = {"PFS": (0.59, 0.76, 0.66, 0.80), "OS": (0.86, 0.90, 0.71, 1.04)}
ERRORS = {"PFS": (0.19, 0.14, 0.11, 0.16), "OS": (0.18, 0.15, 0.13, 0.17)}


def cells(name):
    return list(csv.reader(io.StringIO((PROGRAMS / f"{name}.csv").read_text(encoding="utf-8"))))


def effects_of(path):
    trials = read_pairs(path)
    effects = trials.pair(trials.surrogates)
    order = [effects.trial.index(name) for name in TRIALS]
    return trials, effects.log_hr[order], effects.se[order]


def errors_of(path):
    with pytest.raises(DataError) as raised:
        read_pairs(path)
    return raised.value.faults


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("metafor_escalc", 1e-12),
        ("metafor_coefficients", 1e-12),
        ("meta_metagen", 1e-12),
        ("meta_ratios", 1e-12),
        ("revman_data_rows", 1e-4),
    ],
)
def test_tables_of_programs_give_the_effects_that_were_put_in(name, tolerance):
    trials, log_hr, se = effects_of(PROGRAMS / f"{name}.csv")
    assert log_hr == pytest.approx(np.log(np.transpose([RATIOS["PFS"], RATIOS["OS"]])), abs=tolerance)
    assert se == pytest.approx(np.transpose([ERRORS["PFS"], ERRORS["OS"]]), abs=max(tolerance, 1e-9))
    assert [fault for fault in trials.faults if fault.severity == "warning" and fault.column != "Mean"] == []


@pytest.mark.parametrize(
    "name", ["survival_confint", "survival_data_frame", "survival_conf_int", "survival_conf_int_data_frame"]
)
def test_cox_models_of_r_are_read_in_every_form(name):
    trials, log_hr, se = effects_of(PROGRAMS / f"{name}.csv")
    rows = cells("survival_confint")
    printed = {(row[0], row[1]): (float(row[2]), float(row[4])) for row in rows[1:]}
    expected = [[printed[trial, endpoint] for endpoint in ("PFS", "OS")] for trial in TRIALS]
    assert log_hr == pytest.approx(np.array(expected)[..., 0], abs=1e-9)
    assert se == pytest.approx(np.array(expected)[..., 1], rel=1e-6)
    assert [fault for fault in trials.faults if fault.severity == "warning"] == []


@pytest.mark.parametrize(("name", "column"), [("metafor_escalc_exp", "yi"), ("meta_exponents_as_te", "TE")])
def test_exponents_under_the_heading_of_a_logarithm_are_refused(name, column):
    (fault,) = errors_of(PROGRAMS / f"{name}.csv")
    assert (fault.code, fault.line, fault.column, fault.fix) == ("E112", 1, column, "name the column hr")


def test_one_outcome_per_file_needs_a_column_for_the_endpoint():
    (fault,) = errors_of(PROGRAMS / "metafor_one_outcome.csv")
    assert (fault.code, fault.rule) == ("E005", "each row has one hazard ratio, and no column names its endpoint")
    assert "put the rows of both endpoints into one table" in fault.fix


@pytest.mark.parametrize(
    ("rows", "quantity"),
    [
        (["A,PFS,-0.5,-0.9,-0.1", "A,OS,-0.2,-0.5,0.1"], "log_hr"),
        (["A,PFS,0.61,0.41,0.90", "A,OS,0.82,0.61,1.11"], "hr"),
        (["A,PFS,0.5,0.1,0.9", "A,OS,0.4,0.1,0.7"], "log_hr"),  # harmful on both endpoints
        (["A,PFS,0.0953,0.74,1.63", "A,OS,0.262,0.80,2.11"], "log_hr"),  # logarithms with limits of hazard ratios
    ],
)
def test_limits_and_signs_decide_the_scale_of_an_estimate(rows, quantity, table):
    trials = read_pairs(table("\n".join(["study,outcome,estimate,conf.low,conf.high", *rows, ""])))
    (remark,) = [fault for fault in trials.faults if fault.code == "I147"]
    assert ("logarithms" in remark.rule) == (quantity == "log_hr")
    first = float(rows[0].split(",")[2])
    assert trials.effects["hr"][0] == pytest.approx(np.exp(first) if quantity == "log_hr" else first, rel=1e-6)


@pytest.mark.parametrize(
    "rows",
    [
        ["A,PFS,0.61,,", "A,OS,0.82,,"],  # no limits
        ["A,PFS,1.00,0.99,1.01", "A,OS,1.00,0.98,1.02"],  # limits so narrow that both scales are symmetric
        ["A,PFS,0.61,0.60,3.0", "A,OS,0.82,0.80,3.0"],  # symmetric on neither scale
    ],
)
def test_a_scale_that_nothing_decides_is_refused_with_the_remedy(rows, table):
    (fault,) = errors_of(table("\n".join(["study,outcome,estimate,conf.low,conf.high", *rows, ""])))
    assert (fault.code, fault.column, fault.fix) == ("E112", "estimate", "name the column hr or log_hr")


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        ("coef", Heading("log_hr")),
        ("exp(coef)", Heading("hr")),
        ("exp.coef.", Heading("hr")),
        ("se(coef)", Heading("se")),
        ("Pr(>|z|)", Heading("p")),
        ("lower .95", Heading("ci_low", level=0.95)),
        ("upper..90", Heading("ci_high", level=0.90)),
        ("2.5 %", Heading("ci_low", level=0.95)),
        ("X97.5..", Heading("ci_high", level=0.95)),
        ("OS 5 %", Heading("ci_low", "OS", level=0.90)),
        ("deaths exp", Heading("events_exp", "OS")),
        ("Deaths (control arm)", Heading("events_ctl", "OS")),
        ("GIV Mean", Heading("log_hr")),
        ("Hazard Ratio IV, Random, 95% CI", Heading("hr", level=0.95)),
        ("97.5% CI OS", Heading("interval", "OS", level=0.975)),
    ],
)
def test_headings_of_programs(text, heading):
    assert interpret_heading(text) == heading


@pytest.mark.parametrize("text", ["exp(-coef)", "exp..coef.", "60 %", "coef age", "12 months"])
def test_expressions_that_are_no_quantity_of_the_tables(text):
    assert interpret_heading(text) is None


def test_a_percentile_is_a_limit_only_beside_its_partner():
    assert percentile("95 %") == 95
    assert single_percentiles(["5 %", "95 %"]) == []
    assert single_percentiles(["2.5 %", "95 %", "PFS 5 %"]) == ["2.5 %", "95 %", "PFS 5 %"]


def test_a_percentile_without_a_partner_is_ignored_with_a_word(table):
    trials = read_pairs(table("trial,endpoint,hr,se,95 %\nA,PFS,0.7,0.1,0.8\nA,OS,0.9,0.1,1\n"))
    (fault,) = [fault for fault in trials.faults if fault.code == "W004"]
    assert fault.column == "95 %"
    assert trials.effects["ci_high"].isna().all()
