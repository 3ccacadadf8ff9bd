"""Files for a paper: methods, results, abstract, references and checklists of a run of fits."""

from __future__ import annotations

from collections.abc import Mapping

from surrogacy.analysis.fit_run import FitRun
from surrogacy.report.paper.checklist_facts import run_findings
from surrogacy.report.paper.checklist_text import as_html, as_markdown
from surrogacy.report.paper.checklists import Checklist, checklists_json, fill_checklists
from surrogacy.report.paper.material import PaperMaterial
from surrogacy.report.paper.paper_text import paper_text
from surrogacy.report.paper.run_facts import RunFacts


def run_checklists(facts: RunFacts, answers: Mapping[str, str] | None = None) -> tuple[Checklist, ...]:
    """Return the filled checklists of a complete run, from which a Word table can be made.

    Parameters
    ----------
    facts : RunFacts
    answers : mapping of str to str, optional
        Answers of the author by key; see `surrogacy.report.paper.author_answers.read_answers`.
    """
    return fill_checklists(run_findings(facts), answers or {})


def paper_material(run: FitRun, answers: Mapping[str, str] | None = None) -> PaperMaterial:
    """Return the texts for a paper, the numbers of its references, and its checklists.

    Parameters
    ----------
    run : FitRun
        Complete run.
    answers : mapping of str to str, optional
    """
    facts = RunFacts.of(run)
    checklists = run_checklists(facts, answers)
    text = paper_text(facts, answers)
    files = text.files | {
        "checklists.json": checklists_json(checklists),
        "checklists.md": as_markdown(checklists),
        "checklists.html": as_html(checklists),
    }
    numbers = {reference.key: number for number, reference in enumerate(text.references, 1)}
    return PaperMaterial(files, numbers, checklists)
