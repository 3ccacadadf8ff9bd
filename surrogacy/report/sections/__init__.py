"""Topics of a report, one a file: each makes the screen lines, tables, drawings and record of its topic from a run."""

from __future__ import annotations

from collections.abc import Iterator

from surrogacy.analysis.fit_run import FitRun
from surrogacy.analysis.pps_run import PpsRun
from surrogacy.report.section import Drawing, Section
from surrogacy.report.sections import (
    answers,
    arms,
    changes,
    criteria,
    cross_validation,
    decomposition,
    differences,
    effects,
    influence,
    left_out,
    model_figures,
    models,
    moderation,
    placement,
    predictions,
    sampling,
    sensitivity,
    surrogate_only,
    threshold_targets,
)


def fit_sections(run: FitRun) -> tuple[Section, ...]:
    """Return the sections of a fit, in the order of the screen."""
    return (
        changes.section(run),
        predictions.section(run),
        answers.section(run),
        models.section(run),
        threshold_targets.section(run),
        effects.section(run),
        sensitivity.section(run),
        sampling.section(run),
        left_out.section(run),
        cross_validation.section(run),
        influence.section(run),
        surrogate_only.section(run),
        placement.section(run),
        differences.section(run),
        criteria.section(run),
        decomposition.focus_section(run),
        answers.notes_section(run),
    )


def pps_sections(run: PpsRun) -> tuple[Section, ...]:
    """Return the sections of a run on post-progression survival, in the order of the screen."""
    return (
        decomposition.section(run),
        arms.at_risk_section(run),
        decomposition.every_trial_section(run),
        arms.coupling_section(run),
        moderation.section(run),
    )


def fit_drawings(run: FitRun) -> Iterator[Drawing]:
    """Return the figures of a fit as far as it has come."""
    yield from model_figures.model_drawings(run)
    yield from predictions.prediction_drawings(run)
    yield from sensitivity.sensitivity_drawings(run.sets)
    yield from cross_validation.cross_validation_drawings(run.sets)
    yield from placement.placement_drawings(run)
    yield from changes.added_drawings(run)


def pps_drawings(run: PpsRun) -> Iterator[Drawing]:
    """Return the figures of a run on post-progression survival."""
    yield from moderation.dilution_map_drawings(run)
    yield from arms.arm_drawings(run)
    yield from moderation.moderated_drawings(run)
    yield from decomposition.waterfall_drawings(run)
