"""The answers of an author on the command line, and the files for a paper that a run writes."""

import csv
import json
import re

import pytest
from pybtex.database import parse_string

from surrogacy.cli import fit, template
from surrogacy.report.paper.checklists import prompts
from tests.support.pinned_tables import PINNED

RUN = ("tactics-2022", "--model", "weighted-pearson", "bivariate-bayes", *PINNED)
WRITTEN = ("--figures", "bubble", "--format", "svg")
ANSWERS = {
    "funding": "None: the authors | paid",
    "rationale": "PFS is measured earlier than OS.",
    "registration": "CRD42 <draft>",
    "harms": "Liver failure.",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder of a run with a filled form."""
    path = tmp_path_factory.mktemp("answers")
    form = path / "report.yml"
    assert template.main([str(form), "--quiet"]) == 0
    text = form.read_text(encoding="utf-8")
    for key, answer in ANSWERS.items():
        assert f"\n{key}:\n" in text
        text = text.replace(f"\n{key}:\n", f"\n{key}: >\n  {answer}\n")
    form.write_text(text, encoding="utf-8")
    assert fit.main([*RUN, *WRITTEN, "--answers", str(form), "--out", str(path / "out")]) == 0
    return path / "out"


@pytest.fixture(scope="module")
def rows(folder):
    return json.loads((folder / "checklists.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def results(folder):
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


def test_answers_fill_the_rows_that_ask_for_them(folder, rows):
    answered = {row["value"] for row in rows if row["status"] == "author"}
    assert answered == set(ANSWERS.values())
    for status in ("author", "missing"):
        assert all(
            row["where"] == ("report.yml" if status == "author" else "") for row in rows if row["status"] == status
        )
    open_keys = {key for row in rows for key in re.findall(r"\(report\.yml: (\w+)\)", row["value"])}
    assert open_keys == set(prompts()) - set(ANSWERS)
    abstract = (folder / "abstract.md").read_text(encoding="utf-8")
    assert ANSWERS["funding"] in abstract
    assert "[funding]" not in abstract
    assert ANSWERS["harms"] in (folder / "consort_surrogate.md").read_text(encoding="utf-8")
    assert "CRD42 &lt;draft&gt;" in (folder / "checklists.html").read_text(encoding="utf-8")
    assert r"None: the authors \| paid" in (folder / "checklists.md").read_text(encoding="utf-8")


def test_numbers_of_the_rows_are_those_of_the_document(rows, results):
    (answer,) = results["answer"]
    (quoted,) = (entry for entry in results["fits"] if entry["model"] == answer["model"])
    checked = 0
    for row in rows:
        for name, numbers in row["numbers"].items():
            assert name == "tactics-2022"
            for key, value in numbers.items():
                estimate = key.removesuffix("_low").removesuffix("_high")
                if estimate in quoted["estimates"] and row["status"] == "auto" and row["where"] == "tables/models.csv":
                    field = "low" if key.endswith("_low") else "high" if key.endswith("_high") else "value"
                    assert value == quoted["estimates"][estimate][field], (row["item"], key)
                    checked += 1
    assert checked >= 12
    (multiplier,) = (row for row in rows if row["item"] == "multiplier")
    (scores,) = (entry for entry in results["cross_validation"] if entry["model"] == answer["model"])
    assert multiplier["numbers"]["tactics-2022"]["multiplier"] in scores.values()


def test_each_place_of_a_row_exists(folder, rows, results):
    for row in rows:
        assert (row["where"] == "") == (row["status"] in ("missing", "n/a")), row
        for name in re.findall(r"(?:tables/|figures/)?[\w-]*\.(?:csv|md|json)|figures/|tables/", row["where"]):
            if not row["where"].startswith("trial tables"):
                assert (folder / name).exists(), row
        if match := re.search(r"key (\w+)", row["where"]):
            assert match[1] in results


def test_sentences_of_the_results_hold_the_numbers_of_the_document(folder, results):
    text = (folder / "results.md").read_text(encoding="utf-8").replace("−", "-")
    (answer,) = results["answer"]
    for name, label in (("r2_trial", "trial-level R²"), ("slope", "slope")):
        estimate = answer["estimates"][name]
        kind = "95% credible interval " if name == "r2_trial" else ""
        assert f"{label} {estimate['value']:.2f} ({kind}{estimate['low']:.2f} to {estimate['high']:.2f})" in text
    priors = [row["r2_trial"] for row in results["prior_sensitivity"] if row["prior"] != "default"]
    assert f"{min(priors):.2f} to {max(priors):.2f} with other priors" in text
    left_out = [row["r2_trial"] for row in results["leave_one_out"] if row["model"] == "bivariate-bayes"]
    assert f"ranges from {min(left_out):.2f}" in text
    assert "the result depends mostly on the prior" in text
    assert not re.search(r"\b(valid surrogate|proves?|causes?|predicts|reliabl[ey] surrogate)\b", text)


def test_predicted_numbers_have_an_interval(folder):
    text = (folder / "results.md").read_text(encoding="utf-8")
    predicted = re.findall(r"predicted (?:OS )?hazard ratio [\d.]+(.{0,30})", text)
    assert predicted
    assert all(rest.startswith(" (95% prediction interval ") for rest in predicted)


def test_references_are_valid_in_every_format(folder):
    database = parse_string((folder / "references.bib").read_text(encoding="utf-8"), "bibtex")
    items = json.loads((folder / "references.csl.json").read_text(encoding="utf-8"))
    assert [item["id"] for item in items] == list(database.entries)
    for item in items:
        assert item["type"] in ("article-journal", "book", "report", "document")
        assert item["title"]
        assert all(set(author) <= {"family", "given", "literal"} for author in item["author"])
    records = (folder / "references.ris").read_bytes().decode().split("\r\n\r\n")[:-1]
    assert len(records) == len(items)
    for record in records:
        lines = record.split("\r\n")
        assert lines[0].startswith("TY  - ")
        assert lines[-1] == "ER  - "
        assert all(re.fullmatch(r"[A-Z][A-Z0-9]  - .*", line) for line in lines)
        assert "TI  - " in record


def test_every_comparison_of_the_fit_is_cited(folder, live_trials):
    with (folder / "tables" / "effects.csv").open(encoding="utf-8", newline="") as file:
        used = {row["comparison"] for row in csv.DictReader(file)}
    assert len(used) == 6
    listed = (folder / "references.md").read_text(encoding="utf-8").partition("## Other texts")[0]
    table = live_trials.effects
    for name in used:
        dois = {doi for doi in table.loc[table["comparison"] == name, "doi"] if doi}
        assert any(doi in listed for doi in dois), name


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("funding: none\nfundng: none\n", 2, "Fix: did you mean 'funding'?"),
        ("nonsense: a\n", 1, "Fix: "),
        ("funding: a: b\n", 1, "not valid YAML"),
    ],
)
def test_a_fault_in_the_form_stops_the_run_before_anything_is_written(tmp_path, capsys, text, line, words):
    form = tmp_path / "report.yml"
    form.write_text(text, encoding="utf-8")
    assert fit.main([*RUN, *WRITTEN, "--answers", str(form), "--out", str(tmp_path / "out")]) == 3
    shown = capsys.readouterr()
    assert f"{form}:{line}: E190 error" in shown.err
    assert words in shown.err
    assert shown.out == ""
    assert list(tmp_path.iterdir()) == [form], "nothing may be written"


def test_a_missing_form_is_named(tmp_path, capsys):
    path = tmp_path / "nowhere.yml"
    assert fit.main([*RUN, *WRITTEN, "--answers", str(path), "--out", str(tmp_path / "out")]) == 3
    assert "nowhere.yml" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
