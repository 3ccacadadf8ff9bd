"""Options on output: folder, screen, figures, texts for a paper, verdicts."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, _ArgumentGroup

from surrogacy.output.page_style import NARROWEST, PRESETS, WIDEST


def add_output(command: ArgumentParser, folder: str, folder_help: str, figures: str) -> _ArgumentGroup:
    """Add the options on output that every command has.

    Parameters
    ----------
    command : ArgumentParser
    folder, folder_help : str
        Default folder of the results, and its help.
    figures : str
        Examples of figures of the command: kinds, then the name of a file.
    """
    unpublished = [name for name, journal in PRESETS.items() if not journal.widths_published]
    group = command.add_argument_group("Output")
    group.add_argument("--out", default=folder, metavar="DIR", help=folder_help)
    group.add_argument(
        "--preset",
        default="elsevier",
        choices=tuple(PRESETS),
        help="journal for which the figures are laid out: widths, type and formats (default elsevier); "
        f"for {', '.join(unpublished)} no published widths were found, and common ones are used",
    )
    group.add_argument(
        "--width",
        type=_width,
        default=2,
        metavar="W",
        help="width of the figures: 1, 1.5 or 2 columns of the journal, or millimetres (default 2)",
    )
    group.add_argument(
        "--format",
        nargs="+",
        choices=("pdf", "svg", "png", "tiff"),
        help="file formats of the figures (default pdf svg png)",
    )
    group.add_argument(
        "--figures",
        nargs="+",
        default=[],
        metavar="NAME",
        help=f"draw these figures alone, by their kind or by the name of a file, such as {figures}",
    )
    group.add_argument(
        "--quick",
        action="store_true",
        help="write no report.html, and no tables, texts, references and checklists for a paper",
    )
    group.add_argument(
        "--bundle", action="store_true", help="also write bundle.zip with every file of the folder except run.json"
    )
    group.add_argument("--details", action="store_true", help="print every number and caveat below the answer")
    group.add_argument("--json", action="store_true", help="print one JSON document, and write no files")
    group.add_argument("--quiet", action="store_true", help="print no progress, warnings or results")
    return group


def _width(text: str) -> float:
    """Return a width in columns or millimetres."""
    try:
        return float(text)
    except ValueError:
        raise ArgumentTypeError(
            f"{text!r} is not a number; choose 1, 1.5 or 2 columns, or {NARROWEST:g} to {WIDEST:g} for millimetres"
        ) from None


def add_bubble_plot(group: _ArgumentGroup) -> None:
    """Add the option on what the bubble plots show."""
    group.add_argument(
        "--show",
        nargs="+",
        default=[],
        choices=("confidence", "ste", "intervals", "equation"),
        help="show in the bubble plots also: the confidence band, the surrogate threshold effect, the intervals of all "
        "trials, the equation of the line",
    )


def add_verdicts(group: _ArgumentGroup) -> None:
    """Add the options on verdicts and warnings."""
    group.add_argument(
        "--report-style",
        default="neutral",
        choices=("neutral", "verdict"),
        help="verdicts of IQWiG, TSD 20, BSES3 and frailtypack as numbers (neutral, the default) or in their own words",
    )
    group.add_argument(
        "--answers",
        metavar="FILE",
        help="your answers for the checklists of reporting guidelines (surrogacy template report.yml writes a form)",
    )
    group.add_argument("--strict", action="store_true", help="end with exit code 5 if there was a warning")
