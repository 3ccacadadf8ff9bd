import re
import shlex

import pytest

import surrogacy
from surrogacy.cli import fit, pps
from surrogacy.evaluation.refits import PRIOR_SETS
from surrogacy.models import BivariateBayes, WeightedPearson, WeightedRegression
from surrogacy.pps import decompose
from surrogacy.pps.offset_sensitivity import AssumptionKind, of_kind, offset_sensitivity
from surrogacy.pps.read_summaries import read_inputs
from surrogacy.results.format import share_with_interval
from surrogacy.stats.power import detectable
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
JOB = "python -m pip install . && python -m surrogacy.fit"
TESTS = "python -m pip install -e '.[test]' && python -m pytest -n auto --dist loadfile"


@pytest.mark.parametrize("command", [JOB, TESTS])
def test_ci_runs_the_two_commands_of_the_readme(command):
    assert f"\n{command}\n" in README
    assert f"\n{command}\n" in CI


def test_commands_of_the_readme_are_understood():
    commands = [line for line in re.findall(r"^python -m surrogacy\.fit.*$", README, re.M) if "install" not in line]
    assert len(commands) >= 4
    for command in commands:
        fit.parser().parse_args(shlex.split(command.partition("#")[0])[3:])


def test_commands_on_post_progression_survival_are_understood():
    commands = re.findall(r"^python -m surrogacy\.pps.*$", README, re.M)
    assert len(commands) >= 3
    for command in commands:
        pps.parser().parse_args(shlex.split(command.partition("#")[0])[3:])


@pytest.mark.slow
def test_the_program_prints_the_screen_of_the_readme(capsys, tmp_path):
    (screen,) = re.findall(r"```text\n(.*?)```", README, re.S)
    screen = re.sub(r"version [\d.]+", f"version {surrogacy.__version__}", screen)
    assert "trial-level R²" in screen
    # the quoted model alone: the other models and formats do not enter these lines
    assert fit.main(["--model", "bivariate-bayes", "--format", "svg", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith(screen)


@pytest.mark.slow
def test_numbers_on_post_progression_survival_come_from_the_data(live_trials):
    main = decompose(read_inputs(live_trials, "tactics"), "M")
    words = " ".join(README.split())
    hr, gap, part = main.hazard_ratios, main.effects["gap"], main.effects["dilution"]
    assert f"an OS HR of {hr['equal'].value:.3f} is expected with equal PPS" in words
    assert (
        f"{hr['model'].value:.3f} with the PPS calibrated to each arm, and {hr['observed'].value:.3f} was observed"
        in words
    )
    assert f"gap of {gap.value:.2f} in log HR (95% interval {gap.low:.2f} to {gap.high:.2f})" in words
    share = share_with_interval(main.shares["dilution"]).replace("(", "(Fieller set ").rstrip(")")
    assert (
        f"is {part.value:.2f} ({part.low:.2f} to {part.high:.2f}), which is {share}; {main.calibration.label})" in words
    )
    assert not main.identified
    records = offset_sensitivity(live_trials, live_trials.analysis_set("all"))
    share = {name: f"{records[0].record[name]:.2f}" for name in ("share", "share_low", "share_high")}
    assert (
        f"the dilution coefficient is {share['share']} (95% interval {share['share_low']} to {share['share_high']}"
        in words
    )
    assumptions = of_kind(records, AssumptionKind.VALUE, AssumptionKind.ENDPOINT)
    low, high = (choose(scenario.share.value for scenario in assumptions) for choose in (min, max))
    assert f"{low:.2f} to {high:.2f} under other assumptions" in words


def test_pictures_and_links_of_the_readme_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_numbers_of_the_readme_come_from_the_data(live_trials):
    words = " ".join(README.split())
    tactics, llovet = (live_trials.analysis_set(name) for name in ("tactics-2022", "llovet-2019-pfs"))
    r = WeightedPearson().fit(tactics)["r"]
    assert f"r = {r.value:.2f} (95% interval {r.low:.2f} to {r.high:.2f}" in words
    regression, bayes = (model.fit(llovet)["ste_prediction"].hr for model in (WeightedRegression(), BivariateBayes()))
    assert f"the quoted model needs a PFS effect of HR {bayes:.2f} or lower" in words
    assert f"weighted regression by patients needs HR {regression:.2f} or lower" in words
    overlap = BivariateBayes().fit(tactics)["prior_overlap"].value
    assert f"the overlap is {100 * overlap:.0f}%" in words
    assert f"a true correlation of {detectable(6, 0.84, 16):.2f} or less" in words
    assert "power 15" not in words
    assert len(PRIOR_SETS) == 11
    assert "for eleven sets of priors" in words


def test_python_examples_of_the_readme_run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()  # where the command before them has written
    names = {}
    for code in re.findall(r"```python\n(.*?)```", README, re.S):
        exec(compile(code, "README.md", "exec"), names)
