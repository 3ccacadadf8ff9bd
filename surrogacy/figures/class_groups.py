"""Groups of treatment classes that share a colour and a shape.

The fills differ in lightness as well as in hue, so that the groups are distinguished in grey and by colour-blind
readers, and each group has a shape of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt

from surrogacy.results.labels import CLASS_GROUPS


@dataclass(frozen=True)
class ClassGroup:
    """Group of treatment classes.

    Parameters
    ----------
    label : str
        Key of `surrogacy.results.labels.CLASS_GROUPS`.
    short : str
        Label in a narrow figure.
    colour : str
        Fill of the symbols.
    marker : {"o", "s", "D", "^"}
    """

    label: str
    short: str
    colour: str
    marker: str


GROUPS = (
    ClassGroup("Antiangiogenic TKI or antibody", "Antiangiogenic", "#6F94C4", "o"),
    ClassGroup("Immunotherapy, alone or combined", "Immunotherapy", "#7FC4A0", "s"),
    ClassGroup("Locoregional (TACE, HAIC, SIRT)", "Locoregional", "#F5CB80", "D"),
    ClassGroup("Chemotherapy, other", "Chemotherapy, other", "#F8F8F8", "^"),
)
NOT_STATED = ClassGroup("Class not stated", "Class not stated", "#CFCFCF", "o")

# of a marker of size 1: its area, and the radius of the largest circle about its centre within it
UNIT_AREAS = {"o": pi / 4, "s": 1.0, "D": 1.0, "^": 0.5}
UNIT_RADII = {"o": 0.5, "s": 0.5, "D": 0.5, "^": 0.5 / sqrt(5)}


def group_of(treatment_class: str) -> ClassGroup:
    """Return the group of a class.

    Examples
    --------
    >>> group_of("ici+ici").label
    'Immunotherapy, alone or combined'
    """
    return next((group for group in GROUPS if treatment_class in CLASS_GROUPS[group.label]), NOT_STATED)


def marker_size(area: float, marker: str) -> float:
    """Return the size for `Axes.scatter` with which a marker has the area of a circle of size ``area``.

    Examples
    --------
    >>> marker_size(100, "o"), round(marker_size(100, "s"), 1)
    (100.0, 78.5)
    """
    return area * UNIT_AREAS["o"] / UNIT_AREAS[marker]


def inner_radius(size: float, marker: str) -> float:
    """Return the radius of the circle within a marker of a size for `Axes.scatter`, points."""
    return sqrt(size) * UNIT_RADII[marker]
