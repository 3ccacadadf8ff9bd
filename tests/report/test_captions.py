"""Captions and alternative texts of every figure: length, words, abbreviations, and differences between figures."""

import re

import pytest

from surrogacy.cli.pps import main as pps
from surrogacy.fit import main as fit
from surrogacy.models import REGISTRY
from surrogacy.report.abbreviations import ABBREVIATIONS, abbreviations_in
from surrogacy.report.captions import caption_of
from surrogacy.results.analysis_sets import SET_LABELS
from surrogacy.results.labels import ARM_ESTIMATES, CHOICE_VALUES, CHOICES, ESTIMATES, MODELS, MODERATORS
from tests.support.pinned_tables import PINNED

MOST_WORDS = 100
MOST_CHARACTERS = 250
KEYS = {*ESTIMATES, *MODELS, *REGISTRY, *CHOICES, *CHOICE_VALUES, *ARM_ESTIMATES, *MODERATORS, *SET_LABELS}
# keys without a hyphen or an underscore are words of English, such as `slope`
CODE_NAMES = {name for name in KEYS if re.search(r"[_-]", name)} - {MODELS["meta-regression"].text}
CODE = re.compile(r"(?<!\S)--\w|\w_\w|\.(?:csv|json|toml|yml)\b|\b(?:None|nan|True|False)\b|[{}]")
SETS = re.compile(r"\((?:set )?(?:advanced|intermediate|all)\)|\bsets? (?:advanced|intermediate|all)\b")
USUAL = ("HR", "CI", "PFS", "OS", "TTP", "STE", "PPS")
ADDED = "trial,hr_pfs,low_pfs,high_pfs,hr_os,low_os,high_os,n,stage\nMy trial,0.62,0.48,0.80,0.85,0.65,1.10,300,{}\n"
MEANINGS = {f"{short}, {meaning}" for short, meaning in ABBREVIATIONS.items()}
# abbreviations in the headings, the keys and the names of figures
WITHIN = {
    "bubble-advanced": ("HAIC", "SIRT", "STRIDE", "TACE", "TKI"),
    "forest-advanced-1": ("ICI", "TKI"),
    "forest-advanced-2": ("HAIC", "ICI", "SIRT", "STRIDE", "TACE"),
    "forest-tactics-2022": ("TACE",),
}
MODELS_DRAWN = ("--model", "weighted-pearson", "weighted-regression", "bivariate-bayes")
RUNS = {
    "fit": (fit, ["advanced", "tactics-2022"]),
    "sensitivity": (fit, ["tactics-2022", "--sensitivity", "--model", "weighted-regression", "bivariate-bayes"]),
    "new trial": (fit, ["intermediate", "--add", "ADDED", "--predict", "0.6", "0.45", "0.8", *MODELS_DRAWN]),
    "pps": (pps, ["--resamples", "200"]),
}
KINDS = {
    "fit": {"bubble", "forest", "posterior", "priors", "placement"},
    "sensitivity": {"bubble", "forest", "posterior", "priors", "placement", "choices", "cross"},
    "new trial": {"bubble", "forest", "posterior", "priors", "placement", "added", "prediction"},
    "pps": {"arms", "dilution", "hazard", "moderated", "waterfall"},
}


@pytest.fixture(scope="module", params=RUNS)
def texts(request, tmp_path_factory):
    """Captions and alternative texts of a run by figure."""
    folder = tmp_path_factory.mktemp("captions")
    (folder / "own.csv").write_text(ADDED.format("intermediate"), encoding="utf-8")
    main, arguments = RUNS[request.param]
    options = [str(folder / "own.csv") if word == "ADDED" else word for word in arguments]
    output = ["--out", str(folder / "out"), "--format", "svg", "--quick", "--quiet"]
    assert main([*options, *PINNED, *output]) in (0, 4)
    figures = folder / "out" / "figures"
    names = sorted(path.stem for path in figures.glob("*.svg"))
    assert {name.partition("-")[0] for name in names} == KINDS[request.param]
    return {
        name: tuple((figures / f"{name}{end}").read_text(encoding="utf-8") for end in (".caption.md", ".alt.txt"))
        for name in names
    }


@pytest.mark.slow
def test_captions(texts):
    for name, (caption, _) in texts.items():
        first, *further = caption.strip().split("\n\n")
        assert 15 <= len(first.split()) <= MOST_WORDS, (name, first)
        assert len(further) <= 2, name
        needed = abbreviations_in(" ".join([first, *further[:1]])).rstrip(".").split("; ")
        explained = further[-1].rstrip(".").split("; ") if further else [""]
        assert needed == [""] or set(needed) <= set(explained) <= MEANINGS, name
        written = WITHIN.get(name, ())
        assert {short for short in written if f"{short}, {ABBREVIATIONS[short]}" in explained} == set(written), name
        used = [short for short in USUAL if re.search(rf"(?<![\w]){short}(?!\w)", first)]
        assert all(f"{short}, {ABBREVIATIONS[short]}" in caption for short in used), name


@pytest.mark.slow
def test_no_code_name(texts):
    for name, words in texts.items():
        for text in words:
            assert not CODE.search(text), (name, CODE.search(text))
            assert not SETS.search(text), (name, SETS.search(text))
            codes = [code for code in CODE_NAMES if re.search(rf"(?<![\w-]){re.escape(code)}(?![\w-])", text)]
            assert codes == [], name


@pytest.mark.slow
def test_alternative_texts(texts):
    alternatives = {name: alternative.strip() for name, (_, alternative) in texts.items()}
    for name, alternative in alternatives.items():
        assert 40 <= len(alternative) <= MOST_CHARACTERS, (name, len(alternative))
        assert re.match(r"(?:\w+ ){0,2}(?:plots?|chart|Curves) of|Waterfall chart|Curves of", alternative), name
        assert alternative.endswith("."), name
        assert not re.search(r"[.?!] [A-Z]", alternative), name  # one sentence
        assert re.search(r"\d", alternative), name
    assert len(set(alternatives.values())) == len(alternatives)


def test_paragraphs_of_a_caption():
    assert caption_of(["Shown.", ""]) == "Shown.\n"
    assert caption_of(["Shown."], ["More."], ["a", "b"]) == "Shown.\n\nMore. Caveats: a; b.\n"
    assert caption_of(["Shown."], [], ["a"], "Note") == "Shown.\n\nNote: a.\n"


def test_an_abbreviation_is_a_whole_word():
    assert abbreviations_in("CIRCLE and HRs") == ""
    assert abbreviations_in("HR (95% CI)") == "CI, confidence interval; HR, hazard ratio."
