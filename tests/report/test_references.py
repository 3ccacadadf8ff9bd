"""References of trials and methods: every comparison, four formats, and the command that writes them."""

import json
import re
from dataclasses import replace

import pytest
from pybtex.database import parse_string

from surrogacy.cli import cite
from surrogacy.report.paper.bibliography import FORMATS, as_bibtex, read_references
from surrogacy.report.paper.paper_text import CITATION
from surrogacy.report.paper.trial_sources import trial_sources
from tests.conftest import ROOT, TABLES
from tests.support.pinned_tables import PINNED

PAPER = ROOT / "surrogacy" / "report" / "paper"
METHODS = (PAPER / "methods.bib").read_text(encoding="utf-8")
SOURCES = (TABLES / "sources.bib").read_text(encoding="utf-8")


def keys_of(text):
    return re.findall(r"^@\w+\{([^,]+),", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("key", "expected"),
    [  # as the reference lists of other publications print them
        (
            "struthers-kalbfleisch-1986",
            "Struthers CA, Kalbfleisch JD. Misspecified proportional hazard models. Biometrika. 1986;73(2):363-9. "
            "doi:10.1093/biomet/73.2.363",
        ),
        (
            "lee-thompson-2008",
            "Lee KJ, Thompson SG. Flexible parametric models for random-effects distributions. Stat Med. "
            "2008;27(3):418-34. doi:10.1002/sim.2897",
        ),
        (
            "abril-pla-2023",
            "Abril-Pla O, Andreani V, Carroll C, Dong L, Fonnesbeck CJ, Kochurov M, et al. PyMC: a modern, and "
            "comprehensive probabilistic programming framework in Python. PeerJ Comput Sci. 2023;9:e1516. "
            "doi:10.7717/peerj-cs.1516",
        ),
    ],
)
def test_vancouver_style(key, expected):
    assert read_references(METHODS, [key])[key].vancouver == expected


def test_every_entry_has_a_vancouver_form():
    for text in (METHODS, SOURCES):
        keys = keys_of(text)
        references = read_references(text, keys)
        assert list(references) == keys
        for reference in references.values():
            assert not re.search(r"[{}\\]|\.\.|\s\s|\(\)|None", reference.vancouver), reference.vancouver
            assert reference.text("year") in reference.vancouver


def test_each_method_has_a_doi_that_no_other_has():
    references = read_references(METHODS, keys_of(METHODS)).values()
    dois = [reference.doi for reference in references if reference.doi]
    assert len(dois) == len(set(dois))
    assert [reference.key for reference in references if not reference.doi] == [
        "hoffman-gelman-2014",
        "kish-1965",
        "bujkiewicz-2019",
    ]


def test_each_method_can_be_cited_and_each_citation_has_an_entry():
    templates = "".join(path.read_text(encoding="utf-8") for path in (PAPER / "templates").glob("*.j2"))
    cited = {key for match in CITATION.finditer(templates) for key in match[1].replace("@", "").split("; ")}
    assert cited - {"trials", "key"} == set(keys_of(METHODS))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["tactcs", "--format", "ris"], 2, "did you mean 'tactics-2022'"),
        (["tactics-2022", "--format", "endnote"], 2, "'csl-json', 'vancouver'"),
        (["tactics-2022"], 2, "--format"),
        (["intermediate", "--format", "ris", "--endpoints", "XYZ"], 2, "unknown endpoint 'XYZ'"),
    ],
)
def test_a_mistake_on_the_command_line_is_explained(capsys, arguments, code, words):
    try:
        result = cite.main([*arguments, *PINNED])
    except SystemExit as stopped:
        result = stopped.code
    shown = capsys.readouterr()
    assert result == code
    assert words in shown.err
    assert shown.out == ""


@pytest.mark.parametrize("name", ["bibtex", "ris", "csl-json", "vancouver"])
def test_each_format_of_a_shipped_set_is_valid(capsys, name):
    assert cite.main(["intermediate", "--format", name]) == 0
    shown = capsys.readouterr().out
    if name == "bibtex":
        assert len(parse_string(shown, "bibtex").entries) >= 8
    elif name == "csl-json":
        assert all({"id", "type", "title", "author"} <= set(item) for item in json.loads(shown))
    elif name == "ris":
        assert shown.count("TY  - ") == shown.count("ER  - ") >= 8
    else:
        lines = shown.splitlines()
        assert [line.partition(". ")[0] for line in lines] == [str(i) for i in range(1, len(lines) + 1)]
        assert "--" not in shown


def test_at_most_six_authors_are_listed():
    many = " and ".join(f"Name{letter}, A. B." for letter in "ABCDEFGH")
    bib = f"@article{{a, author = {{{many}}}, title = {{T}}, journal = {{Gut}}, year = {{2020}}}}"
    reference = read_references(bib, ["a"])["a"]
    assert reference.vancouver.startswith("NameA AB, NameB AB, NameC AB, NameD AB, NameE AB, NameF AB, et al. T.")
    assert not reference.abridged
    assert read_references(bib.replace(many, "Doe, J. and others"), ["a"])["a"].abridged


def test_bibtex_is_read_back_without_remarks():
    references = read_references(SOURCES, keys_of(SOURCES))
    again = read_references(as_bibtex(list(references.values())), references)
    assert {key: reference.vancouver for key, reference in again.items()} == {
        key: reference.vancouver for key, reference in references.items()
    }
    assert not {name for reference in again.values() for name in reference.entry.fields} & {"note", "annote"}


@pytest.mark.parametrize("name", ["all", "llovet-2019-pfs", "llovet-2019-ttp", "tactics-2022", "tactics-2022-updated"])
def test_every_comparison_has_its_reference(live_trials, name):
    effects = live_trials.analysis_set(name)
    sources = trial_sources(live_trials, [effects])
    assert [source.comparison for source in sources.comparisons] == list(effects.comparison)
    assert sources.without_reference == ()
    table = live_trials.effects.set_index("effect_id")["source"]
    for i, source in enumerate(sources.comparisons):
        used = {table[effects.covariates[f"{side}_effect"][i]] for side in ("surrogate", "final")}
        assert set(source.published) == used
        assert used <= {reference.key for reference in sources.published}


def test_a_hazard_ratio_without_entry_is_named(trials):
    effects = trials.analysis_set("tactics-2022")
    renamed = trials.effects.assign(source=trials.effects["source"].replace("kudo-2011-post-tace", "unknown-2020"))
    sources = trial_sources(replace(trials, effects=renamed), [effects])
    assert [(source.label, source.missing) for source in sources.without_reference] == [
        ("Post-TACE", ("unknown-2020",))
    ]


def test_formats_agree(live_trials):
    sources = trial_sources(live_trials, [live_trials.analysis_set("tactics-2022")]).published
    written = {name: render(sources) for name, render in FORMATS.items()}
    items = json.loads(written["csl-json"])
    assert [item["id"] for item in items] == keys_of(written["bibtex"]) == re.findall(r"ID  - (\S+)", written["ris"])
    assert [item["DOI"] for item in items] == re.findall(r"DO  - (\S+)", written["ris"])
    assert written["vancouver"].count("\n") == len(sources) == written["ris"].count("ER  - ")
    assert items[0]["issued"] == {"date-parts": [[2011]]}
    assert items[0]["author"][0] == {"family": "Kudo", "given": "Masatoshi"}


def test_command(capsys, tmp_path):
    assert cite.main(["tactics-2022", "--format", "vancouver", *PINNED]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("1. Kudo M, ")
    path = tmp_path / "new" / "references.ris"
    assert cite.main(["tactics-2022", "--format", "ris", "--out", str(path), *PINNED]) == 0
    assert path.read_text(encoding="utf-8").startswith("TY  - JOUR")
    assert cite.main(["tactics-2022", "--format", "ris", "--out", str(path), *PINNED]) == 2
    assert "exists already" in capsys.readouterr().err


def test_formats_of_the_command_are_those_of_the_bibliography():
    assert set(cite.FORMAT_NAMES) == set(FORMATS)
