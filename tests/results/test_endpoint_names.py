"""Endpoints keep the names that a user's table gives them; no other name is presumed."""

import json
import re

import numpy as np
import pytest

from surrogacy.effects import Effects
from surrogacy.errors import DataError, UsageError
from surrogacy.figures import plot_bubble, plot_forest
from surrogacy.fit import main
from surrogacy.models import WeightedRegression
from surrogacy.results.endpoint_names import endpoint_label, final_name, surrogate_names, with_article
from surrogacy.trials import read_pairs, read_trials
from tests.conftest import ROOT
from tests.support.effects import effects_of
from tests.support.pinned_tables import PINNED

CASES = ROOT / "tests" / "data" / "public_cases"
CELLS = (
    "A,133,136,0.83,0.62,1.13,0.84,0.62,1.14",
    "B,95,95,0.49,0.29,0.84,0.51,0.29,0.90",
    "C,128,124,0.62,0.33,1.17,0.60,0.31,1.18",
    "D,200,201,0.75,0.57,0.99,0.78,0.58,1.05",
)
GENERIC = "trial,n_exp,n_ctl,hr_surrogate,ci_low_surrogate,ci_high_surrogate,hr_final,ci_low_final,ci_high_final"


def wide(*more, header=GENERIC):
    """A wide table; each of ``more`` is (column, cells of the four rows)."""
    rows = [",".join([cells, *(values[i] for _, values in more)]) for i, cells in enumerate(CELLS)]
    return "\n".join([",".join([header, *(name for name, _ in more)]), *rows]) + "\n"


def long(surrogate, final, header="trial,endpoint,n_exp,n_ctl,hr,ci_low,ci_high", more=""):
    rows = []
    for cells in CELLS:
        trial, *n, a, b, c, d, e, f = cells.split(",")
        rows += [",".join([trial, name, *n, *hr]) + more for name, hr in ((surrogate, (a, b, c)), (final, (d, e, f)))]
    return "\n".join([header, *rows]) + "\n"


def written(folder):
    """Everything that a run wrote as text, and the words of its figures."""
    texts = {
        path.name: path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.suffix in (".md", ".csv", ".json", ".html")
    }
    figures = {
        path.name: " ".join(re.findall(r"<text[^>]*>([^<]*)", path.read_text())) for path in folder.rglob("*.svg")
    }
    return texts | figures | {"placement in words": (folder / "placement.md").read_text()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "surrogate", "final", "caption"),
    [
        ("another_endpoint", ["DFS"], ["final endpoint"], "Treatment effects on DFS and on the final endpoint: "),
        (
            "generic_headings",
            ["surrogate"],
            ["final endpoint"],
            "Treatment effects on the surrogate and on the final endpoint: ",
        ),
    ],
)
def test_no_output_presumes_an_endpoint(name, surrogate, final, caption, tmp_path, capsys):
    out = tmp_path / "out"
    trial = read_pairs(CASES / f"{name}.csv").trials["trial"][1]
    options = [
        "--focus",
        trial,
        "--predict",
        "0.6",
        "0.45",
        "0.8",
        "--new-n",
        "300",
        "--details",
        "--out",
        str(out),
        "--format",
        "svg",
    ]
    assert main(["--pairs", str(CASES / f"{name}.csv"), *options]) == 0
    shown = capsys.readouterr().out
    texts = {**written(out), "screen": shown}
    assert {"results.json", "models.md", f"bubble-{name}.caption.md", f"forest-{name}.svg", "placement.md"} <= set(
        texts
    )
    for where, text in texts.items():
        assert not re.search(r"\b(PFS|OS)\b", text), where
    assert texts[f"bubble-{name}.caption.md"].startswith(caption)
    assert "Hazard ratio, final endpoint" in texts[f"bubble-{name}.svg"]
    assert f"Hazard ratio, {surrogate[0]}" in texts[f"bubble-{name}.svg"]
    assert f"Hazard ratio, {surrogate[0]}" in texts[f"placement-{trial}.svg"]
    assert "final endpoint HR (95% PI)" in " ".join(shown.split())
    for fit in json.loads(texts["results.json"])["fits"]:
        assert fit["endpoints"] == {"surrogate": surrogate, "final": final}
    assert f"its {surrogate[0]} hazard ratio of 0.49" in texts["placement in words"]


@pytest.mark.parametrize(
    ("text", "surrogate", "final"),
    [
        (wide(("surrogate", ["DFS"] * 4), ("final", ["OS"] * 4)), "DFS", "OS"),
        (wide(("surrogate", ["iDFS"] * 4), ("final", ["DDFS"] * 4)), "iDFS", "DDFS"),
        (wide(("surrogate", ["pfs", "PFS", "Pfs", "pFS"]), ("final", ["os"] * 4)), "PFS", "OS"),
        (wide(("surrogate", ["tace-pfs", "TACE PFS", "TACE-PFS", "tacepfs"])), "TACE-PFS", "final endpoint"),
        (wide(("surrogate", ["MRD", "mrd", "Mrd", "MRD"])), "MRD", "final endpoint"),
        (wide(("final", ["DFS"] * 4)), "surrogate", "DFS"),
        (wide(header=GENERIC.replace("surrogate", "dfs").replace("final", "os")), "DFS", "OS"),
        (wide(header=GENERIC.replace("surrogate", "rfs")), "RFS", "final endpoint"),
        (long("EFS", "OS"), "EFS", "OS"),
        (long("progression-free survival", "overall survival"), "PFS", "OS"),
        (long("surrogate", "final"), "surrogate", "final endpoint"),
        (long("symptomatic-pfs", "os"), "symptomatic-PFS", "OS"),
        (long("ORR", "iDFS", "trial,endpoint,n_exp,n_ctl,hr,ci_low,ci_high,final", ",iDFS"), "ORR", "iDFS"),
        (
            long("OS", "Quality of life", "trial,endpoint,n_exp,n_ctl,hr,ci_low,ci_high,final", ",quality of life"),
            "OS",
            "Quality of life",
        ),
    ],
)
def test_names_are_kept(text, surrogate, final, table):
    effects = effects_of(table(text))
    assert (surrogate_names(effects), final_name(effects)) == ((surrogate,), final)
    # 0.49 is the surrogate effect of B in every layout, whatever its name
    assert np.exp(effects.log_hr[1]) == pytest.approx([0.49, 0.51])
    assert (
        WeightedRegression().fit(effects)["sigma_resid"].method
        == f"residual SD of log HR({final}) for a trial of mean weight"
    )


@pytest.mark.parametrize(("surrogate", "final"), [("iDFS", "OS"), ("DFS", "Quality of life")])
def test_figures_show_the_names(surrogate, final, table):
    result = WeightedRegression().fit(effects_of(table(wide(("surrogate", [surrogate] * 4), ("final", [final] * 4)))))
    axes = plot_bubble(result, show=("equation",))
    assert axes.get_xlabel().startswith(f"Hazard ratio for {surrogate} ")
    assert axes.get_ylabel() == f"Hazard ratio for {final}"
    assert any(text.get_text().count(f"log HR({final})") for text in axes.texts)
    assert [panel.get_title() for panel in plot_forest(result)] == [surrogate, final]


def test_several_final_endpoints_are_a_caveat(table):
    effects = effects_of(table(wide(("surrogate", ["DFS"] * 4), ("final", ["OS", "OS", "RFS", "OS"]))))
    assert len(effects) == 4
    assert final_name(effects) == "OS / RFS"
    assert "the final endpoint is not one endpoint: 3 OS, 1 RFS" in effects.problems
    mixed = effects_of(table(wide(("surrogate", ["DFS", "", "DFS", "EFS"]))))
    assert "the surrogate is not one endpoint: 2 DFS, 1 surrogate, 1 EFS" in mixed.problems


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (long("EFS", "RFS"), "E005", "which endpoint is the final one (EFS, RFS)"),
        (
            wide(("surrogate", ["DFS", "DFS", "ORR", "ORR"]), ("final", ["OS", "OS", "DFS", "DFS"])),
            "E011",
            "DFS is the surrogate",
        ),
    ],
)
def test_tables_that_do_not_say_which_endpoint_is_the_final_one(text, code, words, table):
    with pytest.raises(DataError) as raised:
        read_pairs(table(text))
    (fault,) = raised.value.faults
    assert fault.code == code
    assert words in fault.rule


# --- the order of preference --------------------------------------------------------------------------------------


def test_endpoints_are_matched_whatever_their_capitals(trials):
    for name in ("symptomatic-pfs", "SYMPTOMATIC-PFS", "symptomatic PFS"):
        with pytest.raises(UsageError, match="no comparison has both effects"):
            trials.pair(name, select={"stage": ["intermediate"], "line": ["second"]})
    assert trials.pair(("ttp", "pfs")).comparison == trials.pair(("TTP", "PFS")).comparison
    message = r"unknown endpoint 'DFS'; did you mean 'PFS'\? Choose from OS, TTP, PFS, .*symptomatic-PFS"
    with pytest.raises(UsageError, match=message):
        trials.pair("DFS")


def test_endpoints_of_a_table_that_is_fitted_alone(table, capsys):
    path = table(long("iDFS", "OS") + long("ORR", "x").replace(",x,", ",OS2,").partition("\n")[2])
    for wanted, name in (("idfs", "iDFS"), ("orr,iDFS", "ORR")):
        assert main(["--pairs", str(path), "--endpoints", wanted, "--json", "--model", "weighted-pearson"]) == 0
        (fit,) = json.loads(capsys.readouterr().out)["fits"]
        assert fit["endpoints"] == {"surrogate": [name], "final": ["OS"]}
    assert main(["--pairs", str(path), "--endpoints", "iDFS,EFS", "--json"]) == 2
    assert "unknown endpoint 'EFS'; choose from iDFS, OS, ORR, OS2" in capsys.readouterr().err
    assert main(["--pairs", str(path), "--endpoints", "PFS", "--json"]) == 2
    assert "endpoints of the tables: iDFS, OS, ORR, OS2" in capsys.readouterr().err


def test_an_added_trial_with_another_surrogate_joins_when_asked_for(tmp_path, capsys):
    path = tmp_path / "own.csv"
    path.write_text(
        "trial,stage,n_exp,n_ctl,hr_dfs,se_dfs,hr_os,se_os\nMADE-UP,intermediate,400,390,0.5,0.09,0.6,0.1\n"
    )
    run = ["intermediate", *PINNED, "--add", str(path), "--json", "--model", "weighted-pearson"]
    assert main(run) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["flow"]["sets"]["intermediate"]["not_in_fit"]["MADE-UP"] == "no hazard ratio of PFS, TACE-PFS, TTP"
    assert main([*run, "--endpoints", "PFS,TACE-PFS,TTP,dfs"]) == 0
    (fit,) = json.loads(capsys.readouterr().out)["fits"]
    assert fit["endpoints"]["surrogate"][-1] == "DFS"
    assert "MADE-UP" in document["flow"]["sets"]["intermediate"]["not_in_fit"]


def test_generic_headings_of_an_added_row_take_the_endpoints_of_the_curated_tables(table):
    trials = read_trials(add=table(GENERIC + ",stage\n" + CELLS[0] + ",intermediate\n"))
    effects = trials.analysis_set("intermediate")
    row = effects.comparison.index("A")
    assert (effects.covariates["surrogate"][row], effects.covariates["final"][row]) == ("PFS", "OS")
    remarks = [fault for fault in trials.faults if fault.code == "I136"]
    assert [fault.column for fault in remarks] == ["hr_surrogate", "hr_final"]
    assert "PFS is assumed" in remarks[0].rule
    named = read_trials(add=table(GENERIC + ",stage,surrogate,final\n" + CELLS[0] + ",intermediate,TTP,OS\n"))
    assert not [fault for fault in named.faults if fault.code == "I136"]


# --- medians beside generic headings ------------------------------------------------------------------------------


@pytest.mark.parametrize("header", [GENERIC, GENERIC.replace("surrogate", "dfs").replace("final", "os")])
def test_medians_are_held_against_hazard_ratios_without_an_endpoint(header, table):
    surrogate = "pfs" if header == GENERIC else "dfs"
    medians = [(f"median_{surrogate}_ctl", ["20"] * 4), (f"median_{surrogate}_exp", ["10"] * 4)]
    medians += [("median_os_ctl", ["40"] * 4), ("median_os_exp", ["30"] * 4)]
    trials = read_pairs(table(wide(*medians, header=header)))
    # every hazard ratio below 1 beside medians that favour the control arm
    assert [fault.line for fault in trials.faults if fault.code == "W107"] == [2, 2, 3, 3, 4, 4, 5, 5]


# --- words --------------------------------------------------------------------------------------------------------


def test_words():
    assert (endpoint_label("final"), endpoint_label("surrogate"), endpoint_label("DFS")) == (
        "final endpoint",
        "surrogate",
        "DFS",
    )
    assert (with_article("final endpoint"), with_article("OS")) == ("the final endpoint", "OS")
    arrays = Effects.from_arrays([[-0.5, -0.3]])
    assert (surrogate_names(arrays), final_name(arrays)) == (("surrogate",), "final endpoint")


def test_shipped_sets_keep_their_names(trials):
    effects = trials.analysis_set("llovet-2019-ttp")
    assert (surrogate_names(effects), final_name(effects)) == (("TTP",), "OS")
    assert set(surrogate_names(trials.analysis_set("tactics-2022"))) == {"TTP", "PFS", "TACE-PFS"}
