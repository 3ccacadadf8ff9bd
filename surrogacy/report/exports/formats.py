"""Formats of other programs: columns of the CSV file, and the script that reads it.

Every number has 17 significant digits, so that it is read back without loss.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import surrogacy
from surrogacy.arrays import FloatArray
from surrogacy.effects import SIDES, Effects
from surrogacy.results.endpoint_names import endpoint_of, final_names
from surrogacy.results.requirements import Requirement
from surrogacy.trials.columns import words

REQUIRED = frozenset({Requirement.STANDARD_ERRORS})
"""Quantities that every exported comparison must have."""
type Cell = str | int | float


@dataclass(frozen=True)
class ReportedEffect:
    """Log hazard ratio of one endpoint of a comparison.

    Parameters
    ----------
    index : int
        Position of the comparison in its set.
    side : {0, 1}
        Surrogate or final endpoint.
    """

    index: int
    side: int


@dataclass(frozen=True)
class ExportFormat:
    """Format of another program.

    Parameters
    ----------
    program : str
        Name of the program for readers.
    columns : tuple of str
    rows : callable
        Cells of each row of a set.
    script : str
        File name of the template of the script; empty if the program has no scripts.
    between_comparisons : bool
        Whether the covariance of comparisons that share a control arm is exported.
    """

    program: str
    columns: tuple[str, ...]
    rows: Callable[[Effects], Iterator[Sequence[Cell]]]
    script: str = ""
    between_comparisons: bool = False


def reported(effects: Effects) -> list[ReportedEffect]:
    """Return the reported log hazard ratios: surrogate, then final, of each comparison in turn."""
    return [ReportedEffect(int(i), int(side)) for i, side in np.argwhere(np.isfinite(effects.log_hr))]


def sampling_covariance(effects: Effects) -> FloatArray:
    """Return the (m, m) covariance of the ``m`` reported log hazard ratios, in the order of `reported`.

    Its blocks are the covariance within a comparison and, if comparisons share a control arm, the variance of this arm.
    """
    k = len(effects)
    whole = np.zeros((2 * k, 2 * k))
    for members in effects.dependent_groups():
        places = np.column_stack([2 * members, 2 * members + 1]).ravel()
        whole[np.ix_(places, places)] = effects.sampling_covariance(members)
    kept = np.flatnonzero(np.isfinite(effects.log_hr).ravel())
    return np.asarray(whole[np.ix_(kept, kept)])


def export_texts(effects: Effects, name: str, stem: str, description: Sequence[str]) -> dict[str, str]:
    """Return the files of an export.

    Parameters
    ----------
    effects : Effects
        With a standard error of every reported log hazard ratio.
    name : str
        Key of `FORMATS`.
    stem : str
        File name of the CSV without extension; the other files are named after it.
    description : sequence of str
        Lines for the head of the script: the set, its choices and its caveats.

    Returns
    -------
    dict of str
        Text by file name; the table is first.

    Examples
    --------
    >>> effects = Effects.from_arrays([[-0.5, -0.2]], [[0.2, 0.25]], rho_within=0.5)
    >>> print(export_texts(effects, "mvmeta", "my", [])["my.csv"])
    trial,comparison,y1,y2,S11,S12,S22,n
    1,1,-0.5,-0.20000000000000001,0.040000000000000008,0.025000000000000001,0.0625,
    <BLANKLINE>
    """
    format_ = FORMATS[name]
    texts = {f"{stem}.csv": _csv([format_.columns, *format_.rows(effects)])}
    if format_.between_comparisons:
        texts[f"{stem}-V.csv"] = _csv(sampling_covariance(effects).tolist())
    if format_.script:
        suffix = Path(format_.script).suffix
        template = (Path(__file__).parent / format_.script).read_text(encoding="utf-8")
        finals = ", ".join(json.dumps(endpoint, ensure_ascii=False) for endpoint in final_names(effects))
        for place, text in (("@csv@", f"{stem}.csv"), ("@matrix@", f"{stem}-V.csv"), ("@finals@", finals)):
            template = template.replace(place, text)
        mark = "*" if suffix == ".do" else "#"
        head = (*description, f"exported by surrogacy {surrogacy.__version__}; run it in the folder of {stem}.csv")
        comments = (f"{mark} {' '.join(line.split())}\n" for line in head)
        texts[f"{stem}{suffix}"] = "".join(comments) + template
    return texts


def _csv(rows: Iterable[Sequence[Cell]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_text(cell) for cell in row] for row in rows)
    return text.getvalue()


def _text(cell: Cell) -> str:
    if isinstance(cell, float):
        return f"{cell:.17g}" if np.isfinite(cell) else ""
    return str(cell)


def _patients(effects: Effects, index: int) -> tuple[Cell, Cell, Cell]:
    """Return the patients of a comparison and of its experimental and control arm; empty if they are not known."""
    total, control = float(effects.n[index]), float(effects.n[index] * (1 - effects.control_share[index, 1]))
    if not np.isfinite(total):
        return "", "", ""
    return round(total), round(total) - round(control), round(control)


def _metafor(effects: Effects) -> Iterator[Sequence[Cell]]:
    for entry in reported(effects):
        i, side = entry.index, entry.side
        yield (
            effects.trial[i],
            effects.comparison[i],
            endpoint_of(effects, i, SIDES[side]),
            float(effects.log_hr[i, side]),
            float(effects.se[i, side] ** 2),
            float(effects.se[i, side]),
            *_patients(effects, i),
            float(effects.rho_within[i]),
            effects.control_group[i],
        )


def _by_endpoint(effects: Effects) -> list[ReportedEffect]:
    """Return the reported log hazard ratios of the surrogate endpoint, then those of the final endpoint."""
    return sorted(reported(effects), key=lambda entry: entry.side)


def _meta(effects: Effects) -> Iterator[Sequence[Cell]]:
    for entry in _by_endpoint(effects):
        i, side = entry.index, entry.side
        _, experimental, control = _patients(effects, i)
        effect = float(effects.log_hr[i, side]), float(effects.se[i, side])
        yield effects.labels[i], SIDES[side], endpoint_of(effects, i, SIDES[side]), *effect, experimental, control


def _revman(effects: Effects) -> Iterator[Sequence[Cell]]:
    for entry in _by_endpoint(effects):
        i, side = entry.index, entry.side
        _, experimental, control = _patients(effects, i)
        effect = float(effects.log_hr[i, side]), float(effects.se[i, side])
        yield endpoint_of(effects, i, SIDES[side]), effects.labels[i], *effect, experimental, control


def _mvmeta(effects: Effects) -> Iterator[Sequence[Cell]]:
    for i in range(len(effects)):
        values = (*effects.log_hr[i], effects.cov[i, 0, 0], effects.cov[i, 0, 1], effects.cov[i, 1, 1])
        yield effects.trial[i], effects.comparison[i], *map(float, values), _patients(effects, i)[0]


FORMATS = {
    "metafor": ExportFormat(
        "metafor (R)",
        words("trial comparison outcome yi vi sei ni n_exp n_ctl rho_within control_group"),
        _metafor,
        "metafor.R",
        between_comparisons=True,
    ),
    "meta": ExportFormat("meta (R)", words("studlab role outcome TE seTE n.e n.c"), _meta, "meta.R"),
    "revman": ExportFormat(
        "RevMan",
        ("Outcome", "Study", "log[Hazard Ratio]", "SE", "Experimental total", "Control total"),
        _revman,
    ),
    "mvmeta": ExportFormat("mvmeta (Stata)", words("trial comparison y1 y2 S11 S12 S22 n"), _mvmeta, "mvmeta.do"),
}
