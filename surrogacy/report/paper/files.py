"""Files for a paper: methods, results, abstract, references and checklists of a run of fits."""

from __future__ import annotations

from collections.abc import Mapping

from surrogacy.analysis.fit_run import FitRun
from surrogacy.report.paper.checklist_facts import run_findings
from surrogacy.report.paper.checklist_text import as_html, as_markdown
from surrogacy.report.paper.checklists import Checklist, checklists_json, fill_checklists
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


def paper_files(run: FitRun, answers: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the texts for a paper by file name.

    Parameters
    ----------
    run : FitRun
        Complete run.
    answers : mapping of str to str, optional
    """
    facts = RunFacts.of(run)
    checklists = run_checklists(facts, answers)
    return paper_text(facts, answers).files | {
        "checklists.json": checklists_json(checklists),
        "checklists.md": as_markdown(checklists),
        "checklists.html": as_html(checklists),
    }
