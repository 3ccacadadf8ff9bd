"""Colours of a figure as seen in print: hues, and how different colours are for a deuteranope and in grey."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.collections import Collection
from matplotlib.colors import to_rgba
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

# Machado, Oliveira, Fernandes 2009 (doi:10.1109/TVCG.2009.113), deuteranomaly of severity 1, for linear sRGB
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
# IEC 61966-2-1: XYZ of linear sRGB, relative to the white point D65
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = XYZ.sum(axis=1)
CHROMATIC = 12.0  # chroma in CIELAB below which a colour is a grey
SAME_HUE = 18.0  # degrees between neighbours that are shades of one hue
APART = 10.0  # CIELAB units between colours of groups; about 2 is just noticeable


def linear(colours):
    """Linear sRGB of colours, on white paper if they are transparent."""
    rgba = np.array([to_rgba(colour) for colour in colours], dtype=float).reshape(-1, 4)
    rgb = rgba[:, 3:] * rgba[:, :3] + 1 - rgba[:, 3:]
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(linear_rgb):
    """CIELAB of linear sRGB."""
    ratio = linear_rgb @ XYZ.T / WHITE
    root = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.column_stack([116 * root[:, 1] - 16, 500 * (root[:, 0] - root[:, 1]), 200 * (root[:, 1] - root[:, 2])])


def deuteranope(colours):
    """CIELAB of colours as a deuteranope sees them."""
    return lab(np.clip(linear(colours) @ DEUTERANOPIA.T, 0, 1))


def distance_for_deuteranopes(first, second):
    """Distance of two colours in CIELAB as a deuteranope sees them."""
    return float(np.linalg.norm(np.subtract(*deuteranope([first, second]))))


def distance_in_grey(first, second):
    """Difference of the lightness of two colours."""
    return float(abs(np.subtract(*lab(linear([first, second]))[:, 0])))


def hues(colours):
    """Number of hues of colours that are no greys: shades whose hues are close to each other are of one hue."""
    if not len(colours):
        return 0
    _, red, yellow = lab(linear(colours)).T
    angles = np.sort(np.degrees(np.arctan2(yellow, red))[np.hypot(red, yellow) > CHROMATIC] % 360)
    if not len(angles):
        return 0
    return max(1, sum(second - first > SAME_HUE for first, second in pairwise([*angles, angles[0] + 360])))


def colours_of(artist):
    """Visible colours of an artist; the colours of a map are those of its cells."""
    if isinstance(artist, Text):
        return [artist.get_color()]
    if isinstance(artist, AxesImage):
        return artist.to_rgba(artist.get_array()).reshape(-1, 4)
    if isinstance(artist, Patch):
        edge = artist.get_linewidth() > 0 and artist.get_edgecolor()[3] > 0
        return [artist.get_facecolor(), *([artist.get_edgecolor()] if edge else [])]
    if isinstance(artist, Collection):
        return [*artist.get_facecolor(), *(artist.get_edgecolor() if any(artist.get_linewidth()) else [])]
    if isinstance(artist, Line2D) and artist.get_alpha() != 0:
        line = [artist.get_color()] if artist.get_linestyle() != "None" else []
        marked = artist.get_marker() not in ("None", None, "")
        return [*line, *([artist.get_markerfacecolor(), artist.get_markeredgecolor()] if marked else [])]
    return []


@dataclass(frozen=True)
class KeyEntry:
    """Entry of a key: its label, its look apart from colours, and its colours."""

    label: str
    shape: tuple
    colours: tuple

    def differs(self, other):
        """Whether a reader distinguishes two entries by shape, or by colour as a deuteranope and in grey."""
        if self.shape != other.shape:
            return True
        return all(
            any(distance(*pair) >= APART for pair in zip(self.colours, other.colours, strict=True))
            for distance in (distance_for_deuteranopes, distance_in_grey)
        )


def key_entries(legend):
    """Entries of a legend as they are drawn."""
    for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True):
        if isinstance(handle, Line2D):
            marker, dashes = str(handle.get_marker()), handle.get_linestyle()
            line = dashes != "None"
            # matplotlib has no public method for the pattern of dashes
            shape = marker, line and str(handle._unscaled_dash_pattern), line and handle.get_linewidth()
            colours = handle.get_color(), handle.get_markerfacecolor(), handle.get_markeredgecolor()
            none = "None", "none"
            marked = marker not in ("None", "")
            colours = (
                colours[0] if line else "white",
                *(colour if marked and colour not in none else "white" for colour in colours[1:]),
            )
        elif isinstance(handle, Patch):
            shape = "patch", handle.get_hatch(), handle.get_linestyle()
            colours = handle.get_facecolor(), handle.get_edgecolor()
        else:
            shape, colours = (type(handle).__name__,), tuple(map(tuple, colours_of(handle)))
        yield KeyEntry(text.get_text(), shape, colours)
