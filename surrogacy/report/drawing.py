"""Draw the figures of a set into files; runs in a worker process as well as here."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surrogacy.errors import FigureError, UsageError
from surrogacy.evaluation.cross_validation import Predictions
from surrogacy.evaluation.placement import Focus
from surrogacy.report.caption import (
    bubble_caption,
    choices_caption,
    class_caption,
    cross_validation_caption,
    forest_caption,
    placement_caption,
    posterior_caption,
    prior_caption,
)
from surrogacy.report.escaping import slug
from surrogacy.results.endpoint_names import final_name
from surrogacy.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_bubble(result: Result, folder: Path, formats: tuple[str, ...], preset: str, focus: str | None) -> list[str]:
    """Draw and save the bubble plot and its caption; return the file names."""
    from surrogacy.figures import plot_bubble

    return save_drawn(
        f"bubble-{result.effects.name}",
        lambda: plot_bubble(result, focus=focus),
        bubble_caption(result),
        folder,
        formats,
        preset,
    )


def draw_forest(result: Result, folder: Path, formats: tuple[str, ...], preset: str, focus: str | None) -> list[str]:
    """Draw and save the paired forest plot and its caption; return the file names."""
    from surrogacy.figures import plot_forest

    return save_drawn(
        f"forest-{result.effects.name}",
        lambda: plot_forest(result, focus=focus)[0],
        forest_caption(result),
        folder,
        formats,
        preset,
    )


def draw_posterior(result: Result, folder: Path, formats: tuple[str, ...], preset: str, focus: str | None) -> list[str]:
    """Draw and save the posterior of r2_trial and the line, and its caption; return the file names."""
    from surrogacy.figures import plot_posterior

    sampled = result.posterior is not None and result.posterior.samples is not None
    name = f"posterior-{result.effects.name}" + (f"-{result.model}" if sampled else "")
    return save_drawn(name, lambda: plot_posterior(result)[0], posterior_caption(result), folder, formats, preset)


def draw_class_slopes(
    result: Result, folder: Path, formats: tuple[str, ...], preset: str, focus: str | None
) -> list[str]:
    """Draw and save the slopes by class and their caption; return the file names."""
    from surrogacy.figures import plot_class_slopes

    name = f"class-slopes-{result.effects.name}-{result.model}"
    return save_drawn(name, lambda: plot_class_slopes(result), class_caption(result), folder, formats, preset)


def draw_cross_validation(
    found: Predictions, result: Result, folder: Path, formats: tuple[str, ...], preset: str
) -> list[str]:
    """Draw and save the trials of a set predicted from the others, and the caption; return the file names."""
    from surrogacy.figures import plot_cross_validation

    name, caption = result.effects.name, cross_validation_caption(found, result)
    final = final_name(result.effects)
    return save_drawn(
        f"cross-validation-{name}",
        lambda: plot_cross_validation(found, name, final=final),
        caption,
        folder,
        formats,
        preset,
    )


def draw_choices(
    name: str, model: str, records: Sequence[Mapping[str, Any]], folder: Path, formats: tuple[str, ...], preset: str
) -> list[str]:
    """Draw and save the estimates of a set by every choice, and the caption; return the file names."""
    from surrogacy.figures import plot_choices

    caption = choices_caption(name, model)
    return save_drawn(f"choices-{name}", lambda: plot_choices(records, name)[0], caption, folder, formats, preset)


def draw_placement(
    name: str,
    focus: Focus,
    results: Sequence[Result],
    records: Sequence[Mapping[str, Any]],
    folder: Path,
    formats: tuple[str, ...],
    preset: str,
) -> list[str]:
    """Draw and save a comparison between lines, and the caption; return the file names."""
    from surrogacy.figures import plot_placement

    caption = placement_caption(focus, results)
    return save_drawn(
        f"placement-{name}", lambda: plot_placement(focus, results, records), caption, folder, formats, preset
    )


def draw_prior_sensitivity(
    name: str,
    records: Sequence[Mapping[str, Any]],
    unverified: bool,
    folder: Path,
    formats: tuple[str, ...],
    preset: str,
    focus: str | None,
) -> list[str]:
    """Draw and save what other priors would have made of a set, and its caption; return the file names."""
    from surrogacy.figures import plot_prior_sensitivity

    caption = prior_caption(name, records)
    return save_drawn(
        f"priors-{name}",
        lambda: plot_prior_sensitivity(records, name, unverified=unverified)[0],
        caption,
        folder,
        formats,
        preset,
    )


MISSING_SIGN = "Glyph .* missing from font"


def save_drawn(
    name: str, draw: Callable[[], Axes], caption: str, folder: Path, formats: tuple[str, ...], preset: str
) -> list[str]:
    """Draw in the style of a journal, save, and write the caption beside it; return the file names.

    Raises
    ------
    FigureError
        If the figure cannot be drawn; none of its files is left then.
    OSError
        If the files cannot be written.
    """
    from surrogacy.figures import _style as style

    name = slug(name)
    try:
        with style.style(style.preset(preset)), warnings.catch_warnings(record=True) as caught:
            warnings.filterwarnings("always", message=MISSING_SIGN)
            figure = draw().get_figure(root=True)
            files = style.save(figure, folder / name, formats) if figure is not None else []
    except (OSError, UsageError):
        raise
    except Exception as error:
        for ending in formats:
            (folder / f"{name}.{ending}").unlink(missing_ok=True)
        raise FigureError(name, f"{type(error).__name__}: {' '.join(str(error).split())}") from error
    if any(re.match(MISSING_SIGN, str(warning.message)) for warning in caught):
        caption += " Some signs in the names are not in the font of the figure and are drawn as boxes."
    (folder / f"{name}.caption.md").write_text(caption, encoding="utf-8")
    return [*files, f"{name}.caption.md"]
