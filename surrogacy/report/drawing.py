"""Draw the figures of a set into files; runs in a worker process as well as here."""

from __future__ import annotations

from pathlib import Path

from surrogacy.report.caption import bubble_caption, forest_caption
from surrogacy.results import Result


def warm_up() -> None:
    """Load the plotting library ahead of the first figure (in a worker, while the models are fitted)."""
    import surrogacy.figures  # noqa: F401


def draw_bubble(result: Result, folder: Path, formats: tuple[str, ...], preset: str, focus: str | None) -> list[str]:
    """Draw and save the bubble plot and its caption; return the file names."""
    from surrogacy.figures import plot_bubble
    from surrogacy.figures._style import save, style
    from surrogacy.figures._style import preset as preset_of

    name = f"bubble-{result.effects.name}"
    with style(preset_of(preset)):
        figure = plot_bubble(result, focus=focus).figure
        files = save(figure, folder / name, formats)
    (folder / f"{name}.caption.md").write_text(bubble_caption(result), encoding="utf-8")
    return [*files, f"{name}.caption.md"]


def draw_forest(result: Result, folder: Path, formats: tuple[str, ...], preset: str, focus: str | None) -> list[str]:
    """Draw and save the paired forest plot and its caption; return the file names."""
    from surrogacy.figures import plot_forest
    from surrogacy.figures._style import preset as preset_of
    from surrogacy.figures._style import save, style

    name = f"forest-{result.effects.name}"
    with style(preset_of(preset)):
        figure = plot_forest(result, focus=focus)[0].figure
        files = save(figure, folder / name, formats)
    (folder / f"{name}.caption.md").write_text(forest_caption(result), encoding="utf-8")
    return [*files, f"{name}.caption.md"]
