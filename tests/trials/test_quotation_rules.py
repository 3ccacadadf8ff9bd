"""W155: a quotation contains the hazard ratio of its row."""

import pytest

from surrogacy.trials import read_trials
from surrogacy.trials.rows import Row
from surrogacy.trials.rules.quotation_rules import check_quotations, quotes_number


@pytest.mark.parametrize(
    ("quote", "printed"),
    [
        ("(HR = 0.62; 95% CI 0.51-0.75)", "0.62"),
        ("(HR, .62; P < .001)", "0.62"),
        ("(HR = 0,62, p = 0,02)", "0.62"),
        ("hazard ratio 0·62 (0·51-0·75)", "0.62"),
        ("HR 0.60 (0.46-0.79)", "0.6"),
        ("HR 1.00", "1"),
        ("HR 0.569, 95% CI 0.431 to 0.751", "0.57"),
        ("0,6931 [0,5549;0,8658]", "0.69"),
        ("The hazard ratio was 0.753 in favor of DOX.", "1.328"),  # control over experimental
        ("HR 2.5 (1.66-7.56)", "0.4"),
    ],
)
def test_the_number_is_in_the_quotation(quote, printed):
    assert quotes_number(quote, printed)


@pytest.mark.parametrize(
    ("quote", "printed"),
    [
        ("14.6 v 13.0 months", "0.79"),
        ("P = 0.6, 62 events", "0.62"),
        ("HR 0.6", "0.62"),  # fewer decimals do not confirm the second
        ("HR 0.63 (0.52-0.75)", "0.62"),
        ("HR 0.626", "0.62"),
        ("HR 0.0", "0.62"),
        ("", "0.62"),
    ],
)
def test_another_number_is_not(quote, printed):
    assert not quotes_number(quote, printed)


def test_the_warning_names_row_and_remedy(own_tables):
    line = own_tables("effects", {"effect_id": "brisk-ta:ttp:final"}, quote="median 8.4 v 4.9 months")
    (fault,) = [fault for fault in read_trials(own_tables.folder).faults if fault.line == line and fault.code == "W155"]
    assert (fault.severity, fault.column, fault.value) == ("warning", "quote", "median 8.4 v 4.9 months")
    assert "does not contain the hazard ratio 0.61" in fault.rule
    assert "quote the words that contain the hazard ratio" in fault.fix


def test_rows_without_quotation_or_hazard_ratio_are_not_checked():
    cells = [{"hr": "0.62"}, {"hr": "0.62", "quote": ""}, {"hr": "", "quote": "not reached"}, {"quote": "26.7 v 20.6"}]
    assert not list(check_quotations([Row("effects.csv", 2, row) for row in cells]))


def test_every_shipped_quotation_contains_its_number(live_trials):
    assert not [fault for fault in live_trials.faults if fault.code == "W155"]
    assert (live_trials.effects["quote"] != "").sum() >= 185


def test_a_verified_row_without_quotation_says_why(live_trials):
    effects = live_trials.effects
    silent = effects[(effects["evidence"] != "unverified") & (effects["quote"] == "")]
    for row in silent.to_dict("records"):
        assert "quotation" in row["notes"], row["effect_id"]
    assert (silent["read_in"] == "anderer-2021").sum() == 53
    assert silent.loc[silent["read_in"] == "anderer-2021", "where"].str.contains(", row of .+, columns of ").all()
    assert set(silent["read_in"]) == {"anderer-2021"}
