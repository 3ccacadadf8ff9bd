"""Topics of a report, one a file: each makes the screen lines, tables, drawings and record of its topic from a run."""

from __future__ import annotations

from surrogacy.analysis.fit_run import Run
from surrogacy.analysis.pps_run import PpsRun
from surrogacy.report.section import Section
from surrogacy.report.sections import (
    arms,
    criteria,
    cross_validation,
    decomposition,
    differences,
    effects,
    influence,
    left_out,
    models,
    moderation,
    placement,
    sampling,
    sensitivity,
)


def fit_sections(run: Run, focus: str | None = None) -> tuple[Section, ...]:
    """Return the sections of a fit, in the order of the screen.

    Parameters
    ----------
    run : Run
        As far as it has come.
    focus : str, optional
        Trial that figures ring.
    """
    return (
        models.section(run, focus),
        effects.section(run),
        sensitivity.section(run),
        sampling.section(run),
        left_out.section(run),
        cross_validation.section(run),
        influence.section(run),
        placement.section(run),
        differences.section(run),
        placement.predictions_section(run),
        criteria.section(run),
        decomposition.focus_section(run),
        differences.changes_section(run),
    )


def pps_sections(run: PpsRun) -> tuple[Section, ...]:
    """Return the sections of a run on post-progression survival, in the order of the screen."""
    return (
        decomposition.section(run),
        arms.at_risk_section(run),
        decomposition.every_trial_section(run),
        arms.coupling_section(run),
        moderation.section(run),
        moderation.dilution_map_section(run),
    )
