"""``python -m surrogacy.pps``: the command, its files and its words."""

import contextlib
import csv
import io
import json
import re

import pytest

from surrogacy.cli.pps import main
from surrogacy.fit import main as fit
from surrogacy.pps.offset_sensitivity import DilutionConclusion
from surrogacy.report import section
from surrogacy.report.sections.moderation import VERDICTS
from tests.support.pinned_tables import PINNED


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One run into a folder, with what it printed."""
    out = tmp_path_factory.mktemp("run") / "out"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main([*PINNED, "--out", str(out), "--format", "png", "--resamples", "400", "--details"]) == 0
    return out, printed.getvalue(), json.loads((out / "results.json").read_text())


def rows(out, name):
    with (out / "tables" / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_the_screen_shows_the_decomposition_with_its_doubts(run):
    _, shown, _ = run
    assert re.search(r"updated HR, M\s+0\.661\s+0\.718\s+0\.792\s+0\.08 \(.*0\.10 \(.*0\.08 \(", shown)
    assert re.search(r"31% \(.*37% \(.*32% \(", shown)
    assert "not identified" in shown
    assert "difference of medians" in shown  # the printed PPS is none
    assert "Observed OS HR 0.861 (0.607 to 1.223)" in shown
    assert "119 months" in shown


@pytest.mark.slow
def test_every_figure_has_a_caption_and_every_table_its_numbers(run):
    out, _, _ = run
    figures = {path.stem for path in (out / "figures").glob("*.png")}
    assert figures == {
        "waterfall-tactics",
        "waterfall-tactics-supplement",
        "hazard-ratio-over-time-tactics",
        "dilution-map",
        "arms",
        "moderated-pps-ratio",
    }
    for name in figures:
        assert len((out / "figures" / f"{name}.caption.md").read_text()) > 100
    tables = {path.stem for path in (out / "tables").glob("*.csv")}
    assert tables == {
        "decomposition",
        "direct_death",
        "structure",
        "at_risk",
        "every_trial",
        "not_decomposed",
        "coupling",
        "moderated",
        "moderated_estimates",
        "moderation_evidence",
        "offset_sensitivity",
    }
    assert json.loads((out / "run.json").read_text())["command"] == "python -m surrogacy.pps"


@pytest.mark.slow
def test_files_and_document_agree(run):
    out, _, found = run
    first = next(row for row in rows(out, "decomposition") if row["calibration"] == "M")
    document = next(row for row in found["decompositions"] if row["calibration"] == "M")
    for name in ("hr_equal", "hr_model", "share_dilution", "share_dilution_low", "pps_needed"):
        assert float(first[name]) == pytest.approx(document[name])
    assert document["identified"] is False
    assert document["direct_death"] == pytest.approx(13 / 134)
    parts = sum(document[f"log_hr_{name}"] for name in ("dilution", "imbalance", "residual"))
    assert parts == pytest.approx(document["log_hr_gap"])
    compared = {*(row["comparison"] for row in found["every_trial"]), *found["not_decomposed"]}
    assert len(compared) == len(found["every_trial"]) + len(found["not_decomposed"]) == 83


def shares_of(record):
    """Shares of the gap of one decomposition of results.json as they are to be printed, written out here."""

    def percent(value):
        far = f"beyond {'−' if value < 0 else ''}200%"
        return far if abs(value) > 2 else f"{value:.0%}".replace("-", "−")

    words = []
    for name in ("dilution", "imbalance", "residual"):
        value, low, high = (record[f"share_{name}{end}"] for end in ("", "_low", "_high"))
        words.append(f"{percent(value)} ({'unbounded' if low is None else f'{percent(low)} to {percent(high)}'})")
    return words


@pytest.mark.slow
def test_screen_figure_and_caption_show_the_same_shares_each_with_its_calibration_and_cut(run):
    out, shown, found = run
    caption, supplement = (
        (out / "figures" / f"{name}.caption.md").read_text(encoding="utf-8")
        for name in ("waterfall-tactics", "waterfall-tactics-supplement")
    )
    drawn = [record for record in found["decompositions"] if record["pfs_effect"] == "hazard-ratio"]
    assert {(record["calibration"], record["cut"]) for record in drawn} == {
        (calibration, cut) for calibration in "LM" for cut in ("updated", "primary")
    }
    flat = re.sub(r"\s+", "", shown)
    for record in drawn:
        label = f"calibration {record['calibration']}, {record['cut']} HR"
        words = shares_of(record)
        in_words = ", ".join(
            f"{name} {share}" for name, share in zip(("dilution", "imbalance", "residual"), words, strict=True)
        )
        place = caption if label == "calibration M, updated HR" else supplement
        assert f"Shares of the gap: {in_words} ({label}; 95% Fieller sets)" in place
        for share in words:
            assert share.partition(" (")[0] in shown
    main = next(record for record in drawn if (record["calibration"], record["cut"]) == ("M", "updated"))
    # what the screen says of the trial in focus, and the notes of the caption, are on one calibration
    note = "; ".join(
        f"{name} {share}" for name, share in zip(("dilution", "imbalance", "residual"), shares_of(main), strict=True)
    )
    problem = f"(calibration M, updated HR; 95% Fieller sets of the shares of the gap: {note})"
    assert problem in caption
    assert re.sub(r"\s+", "", problem) in flat
    assert "The notes are on calibration M, updated HR." in caption
    assert caption.count("do not tell dilution, imbalance and residual apart") == 1


@pytest.mark.slow
def test_every_sentence_with_a_share_names_its_calibration(run):
    """A percentage of the gap stands in a sentence with `calibration L` or `calibration M`, and its data cut."""
    out, _, _ = run
    texts = [path.read_text(encoding="utf-8") for path in (out / "figures").glob("*.caption.md")]
    texts.append((out / "decomposition.md").read_text(encoding="utf-8"))
    sentences = [sentence for text in texts for sentence in re.split(r"(?<=[.!])\s", text)]
    naming = [sentence for sentence in sentences if re.search(r"(dilution|imbalance|residual) −?\d+%", sentence)]
    assert len(naming) >= 6
    for sentence in naming:
        assert re.search(r"calibration [LM], (updated|primary) (HR|medians)", sentence), sentence
    table = (out / "tables" / "direct_death.md").read_text(encoding="utf-8")
    assert "Calibration M, updated HR" in table


@pytest.mark.slow
def test_an_estimate_of_the_arms_says_what_pps_is(run):
    _, _, found = run
    assert {row["definition"] for row in found["coupling"]} == {"median-difference", "model"}
    assert any(row["quantity"].startswith("Correlation of median OS and PPS if") for row in found["coupling"])


@pytest.mark.slow
def test_the_trial_level_gives_a_slope_at_each_value_and_what_it_would_take(run):
    out, _, found = run
    of_pps = [row for row in rows(out, "moderated") if row["moderator"] == "pps-ratio"]
    slopes = [float(row["slope"]) for row in of_pps]
    assert len(slopes) == 3
    assert slopes == sorted(slopes, reverse=True)  # longer PPS, flatter line
    evidence = next(row for row in rows(out, "moderation_evidence") if row["moderator"] == "pps-ratio")
    assert float(evidence["comparisons_needed"]) > 45
    estimates = found["offset"]["estimates"]
    assert estimates["share"]["low"] < estimates["share"]["value"] < estimates["share"]["high"]
    assert "later therapy" in " ".join(found["not_asked"])


@pytest.mark.slow
def test_dilution_alone_is_judged_over_all_assumptions(run):
    """The code of the conclusion, the words for it and the ranges come from the rows of the sensitivity table."""
    _, shown, found = run
    scenarios = found["offset_sensitivity"]
    structures = [row for row in scenarios if row["kind"] == "structure"]
    assert [(row["hr_direct_death"], row["shape"]) for row in structures] == [
        (1, 1),
        (0.8, 1),
        (None, 0.8),
        (None, 1.3),
    ]
    low, high = (choose(row["share"] for row in structures) for choose in (min, max))
    words = " ".join(shown.split())
    assert f"{low:.2f} to {high:.2f} under other structures of the hazards" in words
    including = [row["share_low"] <= 1 <= row["share_high"] for row in scenarios]
    assert found["offset"]["conclusion"] == ("not-shown" if all(including) else "depends-on-assumptions")
    assert set(VERDICTS) == set(DilutionConclusion)
    assert section.text(VERDICTS[found["offset"]["conclusion"]]) in words
    shape = found["shape_evidence"]
    assert shape["shape"] == pytest.approx(1 / shape["slope"])
    assert f"the shape is {shape['shape']:.2f} ({shape['shape_low']:.2f} to {shape['shape_high']:.2f})" in words


@pytest.mark.slow
def test_the_p_value_of_a_residual_is_named_and_counted(run):
    out, shown, found = run
    p = [row["p_residual"] for row in found["every_trial"]]
    counts = found["residual_p_values"]
    assert counts["tests"] == len(p) > 40
    assert counts["below_0.05"] == sum(value < 0.05 for value in p)
    assert counts["expected_below_0.05"] == pytest.approx(0.05 * len(p))
    words = (
        f"one of {len(p)} p-values: {0.05 * len(p):.2f} of them would be expected below 0.05 if every true "
        f"residual were 0"
    )
    for text in (
        " ".join(shown.split()),
        (out / "tables" / "every_trial.md").read_text(),
        (out / "tables" / "decomposition.md").read_text(),
    ):
        assert words in text
        assert "p of the residual" in text
        assert "by chance)" not in text


@pytest.mark.slow
def test_the_power_at_the_difference_found_is_not_given(run):
    """In its place stands the difference that would be detected: (1.96 + 0.84) standard errors."""
    out, shown, found = run
    for row in found["moderated"]:
        evidence = row["evidence"]
        assert evidence["power"] is None
        assert "p-value" in evidence["power_note"]
        # the standard error of weighted least squares is near the posterior SD
        assert evidence["detectable"] == pytest.approx(2.8 * row["estimates"]["slope_difference"]["se"], rel=0.35)
    assert "for the difference found" not in " ".join(shown.split())
    assert "would be detected with 80% power" in " ".join(shown.split())
    assert all(row["power"] == "" for row in rows(out, "moderation_evidence"))


@pytest.mark.slow
def test_same_seed_same_bytes(small, capsys):
    arguments = [*small, "--json", "--resamples", "100", "--seed", "3"]
    printed = []
    for _ in range(2):
        assert main(arguments) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert json.loads(printed[0])["schema"] == "surrogacy.pps/1"


@pytest.mark.slow
def test_an_added_trial_is_decomposed(small, tmp_path, capsys):
    own = tmp_path / "own.csv"
    own.write_text(
        "trial,n_exp,n_ctl,hr_pfs,ci_low_pfs,ci_high_pfs,hr_os,ci_low_os,ci_high_os,stage,median_pfs_exp,median_pfs_ctl,median_os_exp,median_os_ctl\n"
        "My trial,150,148,0.66,0.51,0.85,0.90,0.68,1.19,intermediate,12.1,8.4,27.0,25.1\n",
        encoding="utf-8",
    )
    assert main([*small, "--add", str(own), "--focus", "my trial", "--json", "--resamples", "100"]) == 0
    found = json.loads(capsys.readouterr().out)["decompositions"]
    assert found
    assert found[0]["hr_pfs"] == pytest.approx(0.66)
    assert found[0]["hr_observed"] == pytest.approx(0.90)
    assert found[0]["direct_death_assumed"] is True
    assert found[0]["follow_up_assumed"] is True
    assert 0.66 < found[0]["hr_equal"] < 1


def test_a_planned_trial(capsys):
    assert main(["--plan", "--pfs", "6", "9", "--pps", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    # Broglio, Berry 2009 print 280 and 350; the design (18 + 6 months) is the one under which their numbers agree
    # within 10 %
    assert found["estimates"]["n_pfs"]["value"] == pytest.approx(280, rel=0.10)
    assert found["estimates"]["n_os"]["value"] == pytest.approx(350, rel=0.10)
    assert main(["--plan", "--pfs", "6", "--hr-pfs", "0.6667", "--pps", "24", "--n", "300", "--simulate", "50"]) == 0
    shown = capsys.readouterr().out
    assert "A trial of 300 patients" in shown
    assert "simulated" in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--plan"], "--plan needs --pfs"),
        (["--pfs", "6"], "add --plan"),
        (["--focus", "nosuch"], "no comparison 'nosuch'"),
        (["--focus", "tactic"], "did you mean 'tactics'"),
        (["--set", "nosuch"], "nosuch"),
        (["--direct-death", "1.2"], "direct_death"),
        (["--resamples", "5"], "100"),
        (["--plan", "--pfs", "6", "9", "--pps", "-1"], "median PPS"),
    ],
)
def test_errors_name_the_cure_and_write_nothing(arguments, words, tmp_path, capsys):
    out = tmp_path / "out"
    assert main([*arguments, "--out", str(out)]) == 2
    assert words in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.slow
def test_the_fit_says_a_line_on_it(capsys, tmp_path):
    arguments = ["--model", "weighted-regression", "--out", str(tmp_path / "out"), "--format", "svg", "--details"]
    assert fit(["tactics-2022", *PINNED, *arguments]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "with equal PPS in both arms the OS HR expected of TACE-PFS HR 0.661 is 0.718" in shown
    assert "not identified" in shown
    assert "post-progression survival (calibration M, updated HR)" in shown
    assert re.search(r"Gap between the log hazard ratios of TACE-PFS and OS 0\.26 \(.*\): dilution 0\.08 \(", shown)
    assert "Shares of the gap: dilution 31% (" in shown
    assert shown.count("calibration M, updated HR") >= 3
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert found["pps"]["comparison"] == "tactics"


@pytest.mark.slow
def test_nulls_have_a_range_and_say_how_often_they_reach_what_was_observed(run):
    _, _, found = run
    nulls = [row for row in found["coupling"] if " if " in row["quantity"]]
    assert nulls
    assert all(
        row["low"] < row["value"] < row["high"] and "at or above the observed value" in row["kind"] for row in nulls
    )
