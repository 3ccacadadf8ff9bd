"""Headings are accepted only if every word in them is understood."""

import time

import pytest

from surrogacy.trials.user_tables.headings import Heading, canonical_headings, interpret_heading, suggest

UNDERSTOOD = {
    "hr_pfs": Heading("hr", "PFS"),
    "HR_OS": Heading("hr", "OS"),
    "PFS HR (95% CI)": Heading("hr", "PFS", level=0.95),
    "PFS HR with CI": Heading("hr", "PFS"),
    "HR PFS [95% CI]": Heading("hr", "PFS", level=0.95),
    "HR (OS), 98.7% CI": Heading("hr", "OS", level=0.987),
    "Hazard ratio for progression-free survival (95% confidence interval)": Heading("hr", "PFS", level=0.95),
    "Hazard Ratio (OS)": Heading("hr", "OS"),
    "HR DFS": Heading("hr", "DFS"),
    "hr_efs": Heading("hr", "EFS"),
    "tace_pfs_hr": Heading("hr", "TACE-PFS"),
    "hr_s": Heading("hr", "surrogate"),
    "CI PFS": Heading("interval", "PFS"),
    "97.5% CI OS": Heading("interval", "OS", level=0.975),
    "95% CI Lower Bound(OS)": Heading("ci_low", "OS", level=0.95),
    "os_ci_lower": Heading("ci_low", "OS"),
    "pfs_hr_lci": Heading("ci_low", "PFS"),
    "os_hr_uci": Heading("ci_high", "OS"),
    "ll95_os": Heading("ci_low", "OS", level=0.95),
    "lower 90% limit OS": Heading("ci_low", "OS", level=0.9),
    "hr_t_high": Heading("ci_high", "final"),
    "log_hr_pfs": Heading("log_hr", "PFS"),
    "loghr_os": Heading("log_hr", "OS"),
    "log[Hazard Ratio]": Heading("log_hr"),
    "yi": Heading("log_hr"),
    "TE": Heading("log_hr"),
    "seTE": Heading("se"),
    "se_loghr_os": Heading("se", "OS"),
    "vi": Heading("variance"),
    "P value OS": Heading("p", "OS"),
    "one-sided p OS": Heading("p", "OS", sides=1),
    "logrank p (PFS)": Heading("p", "PFS"),
    "events_exp_pfs": Heading("events_exp", "PFS"),
    "n.e": Heading("n_exp"),
    "n2i": Heading("n_ctl"),
    "n_intervention": Heading("n_exp"),
    "n_comparator": Heading("n_ctl"),
    "n_patients": Heading("n"),
    "corr_pfs_os": Heading("rho_within"),
    "within-trial correlation": Heading("rho_within"),
    "ci_level_os": Heading("ci_level", "OS"),
    "studylabel": Heading("trial"),
    "nctid": Heading("registry"),
    "Outcome": Heading("endpoint"),
    "evidence_os": Heading("evidence", "OS"),
    "control": Heading("control"),
    "control_group": Heading("control_group"),
    "median_pfs_ctl": Heading("median", "PFS", "ctl"),
    "median_os_exp_high": Heading("median", "OS", "exp", "high"),
    "mttp_exp_lower": Heading("median", "TTP", "exp", "low"),
    "median tace-pfs (control), months": Heading("median", "TACE-PFS", "ctl"),
    "median_post_progression_survival_ctl": Heading("median", "PPS", "ctl"),
    "os_median_95_ci_low_c": Heading("median", "OS", "ctl", "low"),
    "median_exp": Heading("median", "", "exp"),
}

NOT_UNDERSTOOD = (
    "HR OS AFP low",
    "HR OS AFP high",
    "HR PFS PD-L1 high",
    "HR OS long-term follow-up",
    "hr os per protocol lower",
    "HR OS HBV",
    "HR OS in responders",
    "HR PFS adjusted",
    "HR PFS ITT low",
    "hr_os_2",
    "HR OS 12",
    "hr_os_month12",
    "OS rate 12 months",
    "PFS p interaction",
    "p_subgroup",
    "se_pfs_subgroup",
    "hr_foo",
    "hr pfs os",
    "cancer_type",
    "colour",
    "age",
    "dose",
    "lose",
    "hips",
    "number of sites",
    "median_pps_ctl_low",
    "median_os",
    "os_ctl",
    "median_age_ctl",
    "m_ctl",
    "ORR %",
    "90% median OS control",
)


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_headings_that_are_understood(text):
    assert interpret_heading(text) == UNDERSTOOD[text]


@pytest.mark.parametrize("text", NOT_UNDERSTOOD)
def test_a_word_that_is_not_understood_makes_the_column_unknown(text):
    assert interpret_heading(text) is None


@pytest.mark.parametrize("text", UNDERSTOOD)
@pytest.mark.parametrize("word", ["women", "interim", "Child-Pugh A", "ECOG"])
def test_any_further_word_makes_the_column_unknown(text, word):
    assert interpret_heading(f"{text} {word}") is None
    assert interpret_heading(f"{word} {text}") is None


@pytest.mark.parametrize(
    ("text", "near"), [("hr_psf", "hr_pfs"), ("ci_hihg_os", "ci_high_os"), ("n_exo", "n_exp"), ("colour", "")]
)
def test_a_close_heading_is_suggested(text, near):
    assert suggest(text, canonical_headings()) == (f"did you mean {near!r}?" if near else "")


def test_a_long_heading_takes_no_time():
    assert interpret_heading("os " * 200 + "hr") is None
    assert interpret_heading("hrloghrsecilow" * 20) is None
    assert interpret_heading("p value " * 5000) is None
    assert interpret_heading("p value " * 14) is None


@pytest.mark.parametrize("words", ["l ", "u l ", "s e ", "n total ", "confidence limit ", "p sides ", "os "])
def test_headings_with_many_readings_take_no_time(words):
    start = time.process_time()
    assert interpret_heading((words * 60)[:118] + "z") is None
    assert time.process_time() - start < 0.5
