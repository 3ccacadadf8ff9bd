"""The seven tables of a paper, one definition a file, and their files: Word, LaTeX, Markdown, HTML and CSV."""

from __future__ import annotations

from collections.abc import Mapping

from surrogacy.analysis.fit_run import FitRun
from surrogacy.report.journal_tables.effects import effects_table
from surrogacy.report.journal_tables.layout import JournalTable
from surrogacy.report.journal_tables.left_out import leave_one_out_table
from surrogacy.report.journal_tables.models import models_table
from surrogacy.report.journal_tables.placement import placement_table
from surrogacy.report.journal_tables.schemes import schemes_table
from surrogacy.report.journal_tables.sensitivity import sensitivity_table
from surrogacy.report.journal_tables.trials import trials_table


def fit_journal_tables(run: FitRun, numbers: Mapping[str, int]) -> tuple[JournalTable, ...]:
    """Return the tables of a fit, in the order of their numbers; a table without rows is left out.

    Parameters
    ----------
    run : FitRun
    numbers : mapping of str to int
        Numbers of the references by their keys.
    """
    return (
        *trials_table(run),
        *effects_table(run, numbers),
        *models_table(run),
        *leave_one_out_table(run),
        *sensitivity_table(run),
        *placement_table(run),
        *schemes_table(run),
    )
