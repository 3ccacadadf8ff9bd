"""Tables of public questions and bug reports with their correct values, and further members of each class."""

import numpy as np
import pytest

from surrogacy.models import BivariateRandomEffects
from surrogacy.trials import read_pairs
from tests.support.effects import effects_of
from tests.support.user_tables import CASES, WIDE, codes, error_at, errors


def test_a_control_treatment_is_not_a_shared_arm():
    effects = effects_of(CASES / "control_treatment_as_group.csv")
    assert np.all(effects.covariance_between(0, 1) == 0)
    assert effects.n_patients == 1108
    result = BivariateRandomEffects(method="reml").fit(effects)
    assert [result["mu_surrogate"].value, result["mu_final"].value] == pytest.approx([-0.31744, -0.20137], abs=5e-6)
    assert [result["mu_surrogate"].se, result["mu_final"].se] == pytest.approx([0.06216, 0.07075], abs=5e-6)


def test_two_three_arm_trials_with_the_same_control_treatment(table):
    rows = "".join(
        f"{trial},{trial}-{arm},chemo,300,300,0.70,0.59,0.83,0.90,0.75,1.08\n"
        for trial in ("A", "B")
        for arm in ("low", "high")
    )
    path = table(f"trial,comparison,control_group,{WIDE.removeprefix('trial,')}\n{rows}")
    effects = effects_of(path)
    assert [sorted(effects.comparison[i] for i in group) for group in effects.dependent_groups()] == [
        ["A-high", "A-low"],
        ["B-high", "B-low"],
    ]
    assert effects.n_patients == 1800
    trials = read_pairs(path)
    assert len(trials.pair(trials.surrogates, shared_control="first")) == 2


def test_two_rows_of_one_trial():
    (fault,) = errors(CASES / "three_arm_trial.csv")
    assert (fault.code, fault.line, fault.value) == ("E108", 4, "three-arm-y")
    assert "column comparison" in fault.fix
    assert "same control_group" in fault.fix


def test_comparisons_of_two_trials_may_have_one_name(table):
    header = "trial,comparison,endpoint,hr,se"
    path = table(f"{header}\nA,TKI v placebo,PFS,0.7,0.1\nB,TKI v placebo,OS,0.9,0.1\nB,TKI v placebo,PFS,0.8,0.1\n")
    effects = effects_of(path)
    assert effects.trial == ("B",)
    assert np.exp(effects.log_hr[0]) == pytest.approx([0.8, 0.9])


@pytest.mark.parametrize("name", ["Pooled", "Total", "Random effects model", "RE Model", "Overall effect"])
def test_a_pooled_row_is_refused(name, table):
    (fault,) = errors(
        table(f"{WIDE}\nA,400,400,0.69,0.54,0.89,0.90,0.70,1.16\n{name},,,0.69,0.54,0.89,0.90,0.70,1.16\n")
    )
    assert (fault.code, fault.line) == ("E018", 3)


@pytest.mark.parametrize(
    ("header", "rows", "code"),
    [
        (WIDE, ["Alpha,400,400,0.69,0.54,0.89,0.90,0.70,1.16", "alpha,400,400,0.69,0.54,0.89,0.90,0.70,1.16"], "W140"),
        (f"{WIDE},control", ["A,400,400,0.69,0.54,0.89,0.90,0.70,1.16,118"], "W142"),
        (WIDE, ["A,400,400,69,54,89,0.90,0.70,1.16"], "W139"),
        ("trial,n_exp,n_ctl,hr_pfs,variance_pfs,hr_os,se_os", ["A,400,400,0.69,48.7,0.9,0.13"], "W138"),
        (
            "trial,n_exp,n_ctl,hr_pfs,se_pfs,events_exp_pfs,events_ctl_pfs,hr_os,se_os",
            ["A,400,400,0.69,0.29,96,99,0.9,0.13"],
            "W105",
        ),
        (
            WIDE.replace("trial,", "trial,comparison,control_group,"),
            ["A,x,pbo,400,81,0.69,0.50,0.95,0.90,0.70,1.16", "A,y,pbo,400,60,0.69,0.50,0.95,0.90,0.68,1.19"],
            "W141",
        ),
        (f"{WIDE},phase", ["A,400,400,0.69,0.54,0.89,0.90,0.70,1.16,III"], "W143"),
    ],
)
def test_further_warnings(header, rows, code, table):
    assert code in {fault for fault, _ in codes(table("\n".join([header, *rows, ""])))}


@pytest.mark.parametrize("missing", ["NA", "N/A", "-", ".", "NaN", "NR", "#N/A", "\u2014"])
def test_signs_for_a_missing_value(missing, table):
    path = table(
        f"{WIDE},p_pfs,registry,rho_within,se_os\nA,400,400,0.69,0.54,0.89,0.90,0.70,1.16,{missing},{missing},{missing},{missing}\n"
    )
    assert codes(path) == []


def test_spelling_of_allowed_values(table):
    path = table(f"{WIDE},stage,preferred\nA,400,400,0.69,0.54,0.89,0.90,0.70,1.16,Advanced,TRUE\n")
    assert read_pairs(path).trials["stage"].tolist() == ["advanced"]


@pytest.mark.parametrize("p", ["=0.0041", "= 0.0041", "3e-12"])
def test_printed_p_values(p, table):
    hr = "0.40,0.31,0.52" if p == "3e-12" else "0.69,0.54,0.89"
    assert codes(table(f"{WIDE},p_pfs\nA,400,400,{hr},0.90,0.70,1.16,{p}\n")) == []


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\ntrial;n_exp;n_ctl;hr_pfs;hr_os\nA;400;400;0,69 (0,54-0,89);0,90 (0,70-1,16)\n",
        "trial\tn_exp\tn_ctl\thr_pfs\thr_os\nA\t400\t400\t0,69 (0,54-0,89)\t0,90 (0,70-1,16)\n",
        "trial;n_exp;n_ctl;PFS, HR (95% CI);OS, HR, (95% CI)\nA;400;400;0,69 (0,54-0,89);0,90 (0,70-1,16)\n",
        'trial,n_exp,n_ctl,hr_pfs,hr_os\nA,400,400,"0.69\n(0.54-0.89)",0.69 [95%-CI 0.54; 0.89]*\n',
        "Study,nE,nC,HRs (95% CI) for PFS,HR overall survival (OS)\nA,400,400,0.69 (0.54-0.89),0.90 (95% CrI "
        "0.70-1.16)\n",
        "trial,Study ID,n_exp,n_ctl,hr_pfs,l95_pfs,u95_pfs,hr_os,os lower 95,os upper "
        "95\nA,7,400,400,0.69,0.54,0.89,0.9,0.70,1.16\n",
    ],
)
def test_tables_of_spreadsheets(text, table):
    effects = effects_of(table(text))
    assert effects.se[0, 0] == pytest.approx(error_at(0.95))
    assert effects.n.tolist() == [800]
