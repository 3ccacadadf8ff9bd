"""Methods, results and abstract of a run, with numbered citations and the references in the order of citation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from surrogacy.report.paper.bibliography import FORMATS, Reference, read_references
from surrogacy.report.paper.run_facts import RunFacts
from surrogacy.report.paper.trial_sources import TrialSources, trial_sources
from surrogacy.report.typography import with_minus_signs

FOLDER = Path(__file__).parent
CITATION = re.compile(r" ?\[(@[\w-]+(?:; @[\w-]+)*)\]")
TRIALS = "trials"
TEXTS = ("methods", "results", "abstract", "consort_surrogate")
EVIDENCE_WORDS = {
    "primary": "read in the publication",
    "secondary": "read in another source",
    "unverified": "not verified in any source",
    "as given": "as the table gives them",
}
ACCEPTED_WORDS = {
    "primary": "Only hazard ratios that were read in the publication were accepted.",
    "secondary": "Hazard ratios that were not verified in any source were excluded.",
    "unverified": "Hazard ratios were accepted whatever their evidence.",
}
ERROR_WORDS = {
    "limits": "confidence limits",
    "se": "reported standard errors",
    "p": "p-values",
    "events": "numbers of events",
}
ENDINGS = {"bibtex": "bib", "ris": "ris", "csl-json": "csl.json"}


@dataclass(frozen=True, eq=False)
class PaperText:
    """Texts of a paper and its references.

    Parameters
    ----------
    texts : mapping of str to str
        Markdown of ``methods``, ``results``, ``abstract`` and ``consort_surrogate``.
    references : tuple of Reference
        In the order of citation: numbers in the methods are their places, from 1.
    sources : TrialSources
        Publications of the comparisons.
    """

    texts: Mapping[str, str]
    references: tuple[Reference, ...]
    sources: TrialSources

    @property
    def files(self) -> dict[str, str]:
        """Text by file name."""
        texts = {f"{name}.md": text for name, text in self.texts.items()}
        listed = {f"references.{ending}": FORMATS[name](self.references) for name, ending in ENDINGS.items()}
        return texts | listed | {"references.md": self.reference_list}

    @property
    def reference_list(self) -> str:
        """The references in Vancouver style, other texts that were read, and what lacks a reference."""
        parts = [f"# References\n\n{FORMATS['vancouver'](self.references)}"]
        numbered = tuple(enumerate(self.references, 1))
        if unchecked := _ranges([place for place, entry in numbered if entry.unchecked]):
            parts.append(f"Details that were not read in the publication; check before use: {unchecked}.\n")
        if abridged := _ranges([place for place, entry in numbered if entry.abridged]):
            parts.append(f"Fewer than six authors are known; add the others before use: {abridged}.\n")
        if self.sources.read_only:
            lines = "".join(f"- {reference.vancouver}\n" for reference in self.sources.read_only)
            parts.append(f"## Other texts in which values were read\n\n{lines}")
        if self.sources.without_reference:
            lines = "".join(
                f"- {source.label}: {', '.join(filter(None, source.missing)) or 'no source is named'}\n"
                for source in self.sources.without_reference
            )
            parts.append(f"## Comparisons without a reference\n\nAdd these by hand.\n\n{lines}")
        return "\n".join(parts)


def paper_text(facts: RunFacts, answers: Mapping[str, str] | None = None) -> PaperText:
    """Return the texts of a complete run.

    Parameters
    ----------
    facts : RunFacts
    answers : mapping of str to str, optional
        Answers of the author.
    """
    run, settings = facts.run, facts.run.settings
    cuts = (cut.effect_id for focus in run.focuses for cut in focus.cuts)
    sources = trial_sources(run.trials, [fit.effects for fit in run.sets], cuts)
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"), undefined=StrictUndefined, keep_trailing_newline=True
    )
    values = {
        "run": facts,
        "answers": dict(answers or {}),
        "seed": settings.seed,
        "one_table": settings.pairs_table is not None,
        "own_tables": facts.own_tables,
        "added": bool(run.trials.added),
        "shared_control": settings.pairing.shared_control,
        "one_endpoint_included": settings.pairing.one_endpoint == "include",
        "min_evidence": settings.pairing.min_evidence,
        "accepted_words": ACCEPTED_WORDS,
        "equivalent_slope": settings.equivalent_slope,
        "nuts": settings.nuts,
        "decomposed": bool(run.decompositions),
        "verdicts": settings.criteria_style == "verdict",
        "evidence_words": EVIDENCE_WORDS,
        "error_words": ERROR_WORDS,
    }
    texts = {name: environment.get_template(f"{name}.md.j2").render(values) for name in TEXTS}
    texts["methods"], references = _with_numbers(texts["methods"], sources)
    return PaperText({name: _tidy(text) for name, text in texts.items()}, references, sources)


def _with_numbers(text: str, sources: TrialSources) -> tuple[str, tuple[Reference, ...]]:
    """Replace citations by numbers in the order of their appearance; return the text and the references."""
    known = read_references(
        (FOLDER / "methods.bib").read_text(encoding="utf-8"),
        [key.removeprefix("@") for match in CITATION.finditer(text) for key in match[1].split("; ")],
    ) | {reference.key: reference for reference in sources.published}
    places: dict[str, int] = {}

    def number_of(match: re.Match[str]) -> str:
        cited = [key.removeprefix("@") for key in match[1].split("; ")]
        keys = [key for name in cited for key in _keys(name, sources)]
        for key in keys:
            places.setdefault(key, len(places) + 1)
        return f" [{_ranges(sorted(places[key] for key in keys))}]" if keys else ""

    numbered = CITATION.sub(number_of, text)
    return numbered, tuple(known[key] for key in places)


def _keys(name: str, sources: TrialSources) -> list[str]:
    return [reference.key for reference in sources.published] if name == TRIALS else [name]


def _ranges(numbers: list[int]) -> str:
    """Return numbers as ranges: ``1–3,5``."""
    parts: list[list[int]] = []
    for number in dict.fromkeys(numbers):
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ",".join(f"{part[0]}–{part[-1]}" if len(part) > 2 else ",".join(map(str, part)) for part in parts)


def _tidy(text: str) -> str:
    """Return a text with minus signs and a line break at its end, without double blanks or needless blank lines."""
    text = re.sub(r"(?<=\S) {2,}", " ", re.sub(r"[ \t]+\n", "\n", text))
    return with_minus_signs(re.sub(r"\n{3,}", "\n\n", text).strip()) + "\n"
