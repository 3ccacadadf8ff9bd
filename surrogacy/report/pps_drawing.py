"""Draw the figures of a run on post-progression survival; runs in worker processes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from surrogacy.models.moderation import Moderation
from surrogacy.pps.at_risk import AtRiskComparison
from surrogacy.pps.coupling import CouplingAudit
from surrogacy.pps.decomposition import Decomposition
from surrogacy.pps.dilution import DilutionMap, DilutionPoint
from surrogacy.report import pps_caption as caption
from surrogacy.report.drawing import save_drawn


def draw_waterfall(found: Sequence[Decomposition], folder: Path, formats: tuple[str, ...], preset: str) -> list[str]:
    """Draw and save the way from the PFS effect to the OS effect, and its caption; return the file names."""
    from surrogacy.figures import plot_waterfall

    name = f"waterfall-{found[0].inputs.comparison}"
    return save_drawn(name, lambda: plot_waterfall(found)[0], caption.waterfall(found), folder, formats, preset)


def draw_over_time(
    found: Sequence[Decomposition],
    comparison: AtRiskComparison | None,
    folder: Path,
    formats: tuple[str, ...],
    preset: str,
) -> list[str]:
    """Draw and save the OS hazard ratio over time, and its caption; return the file names."""
    from surrogacy.figures import plot_hazard_ratio_over_time

    inputs = found[0].inputs
    calibrations = [one.calibration for one in found]
    name = f"hazard-ratio-over-time-{inputs.comparison}"
    return save_drawn(
        name,
        lambda: plot_hazard_ratio_over_time(inputs, calibrations, comparison),
        caption.over_time(found, comparison),
        folder,
        formats,
        preset,
    )


def draw_map(
    chart: DilutionMap, points: Sequence[DilutionPoint], focus: str, folder: Path, formats: tuple[str, ...], preset: str
) -> list[str]:
    """Draw and save the dilution map with the trials on it, and its caption; return the file names."""
    from surrogacy.figures import plot_dilution_map

    words = caption.dilution_map(chart, points)
    return save_drawn(
        "dilution-map", lambda: plot_dilution_map(chart, points, focus)[0], words, folder, formats, preset
    )


def draw_arms(
    audit: CouplingAudit, focus: str | None, folder: Path, formats: tuple[str, ...], preset: str
) -> list[str]:
    """Draw and save the arms with their nulls, and the caption; return the file names."""
    from surrogacy.figures import plot_pps_arms

    words = caption.arms(audit)
    return save_drawn("arms", lambda: plot_pps_arms(audit, focus=focus)[0], words, folder, formats, preset)


def draw_moderated(found: Moderation, folder: Path, formats: tuple[str, ...], preset: str) -> list[str]:
    """Draw and save the moderated lines, and their caption; return the file names."""
    from surrogacy.figures import plot_moderated_lines

    name = f"moderated-{found.moderator.name}"
    return save_drawn(name, lambda: plot_moderated_lines(found), caption.moderated(found), folder, formats, preset)
