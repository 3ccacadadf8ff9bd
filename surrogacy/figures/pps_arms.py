"""Median OS of every arm against its median PPS and its median PFS, and the correlations expected by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MultipleLocator

from surrogacy.arrays import FloatArray
from surrogacy.figures import _style as style
from surrogacy.figures.labels import Label, Symbol, place_labels, symbol_radius
from surrogacy.figures.symbols import MarkedSymbol, identify_symbols
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.pps.coupling import CouplingAudit
from surrogacy.results.estimate import Estimate
from surrogacy.results.format import with_interval

LARGEST, NARROW_LARGEST = 46.0, 32.0  # points squared
JOINED_COLOUR, JOINED_WIDTH = "0.55", 0.5
STAGE_COLOURS = {"intermediate": "#004C7F", "advanced": "#E08A3C", "mixed": "#009E73"}
NULLS = {
    "unrelated PFS and PPS": ("#9CCBEA", "expected if PFS and PPS were unrelated"),
    "no true variation": ("#8E4A72", "expected if arms differed by chance alone"),
}
DEFINITIONS = {
    "reported": "as reported",
    "median-difference": "median OS − median {endpoint}",
    "model": "of the model",
    "area": "area between the curves",
}
# mm: above a panel, the panel, labels below it, the strip, beside the panels, and a line of the key
TITLE, PANEL, NARROW_PANEL, LABELS, STRIP, LEFT, RIGHT, KEY_LINE = 5.0, 66.0, 50.0, 11.0, 12.0, 13.0, 4.0, 3.6
SMALLEST_AREA = 0.3  # of an arm whose patients are not known


@dataclass(frozen=True)
class PlottedArm:
    """Arm of a trial.

    Parameters
    ----------
    identifier : str
        Comparison and arm.
    trial, label, stage, endpoint : str
    experimental : bool
    area : float
        Patients as a share of the largest arm.
    median_os, median_pps, median_pfs : float
        Months; the median PPS by the definition of the audit.
    unverified : bool
    """

    identifier: str
    trial: str
    label: str
    stage: str
    endpoint: str
    experimental: bool
    area: float
    median_os: float
    median_pps: float
    median_pfs: float
    unverified: bool


def pps_arms_data(audit: CouplingAudit) -> list[PlottedArm]:
    """Return the arms of the figure.

    Parameters
    ----------
    audit : CouplingAudit

    Returns
    -------
    list of PlottedArm
    """
    largest = max((arm.n or 0 for arm in audit.arms), default=0)
    return [
        PlottedArm(
            identifier=arm.identifier,
            trial=arm.trial,
            label=arm.trial_label,
            stage=arm.stage,
            endpoint=arm.pfs_endpoint,
            experimental=arm.arm == "exp",
            area=arm.n / largest if arm.n else SMALLEST_AREA,
            median_os=arm.median_os.value,
            median_pps=arm.pps(audit.definition).months,
            median_pfs=arm.median_pfs.value,
            unverified=arm.evidence == "unverified",
        )
        for arm in audit.arms
    ]


def plot_pps_arms(
    audit: CouplingAudit,
    ax: tuple[Axes, Axes, Axes, Axes] | None = None,
    *,
    focus: str | None = None,
    page: PageStyle = DEFAULT_PAGE,
) -> tuple[Axes, Axes, Axes, Axes]:
    """Draw the arms, joined within trials, and below them the null distributions of both correlations.

    The axes are linear and have the same scale in both panels, because the correlations refer to months.

    Parameters
    ----------
    audit : CouplingAudit
    ax : four Axes, optional
        Arms by PPS, arms by PFS, and the strips below them. Default: a new figure of the width of the page.
    focus : str, optional
        Trial to highlight and name.
    page : PageStyle
        Page for which the figure is laid out.

    Returns
    -------
    four Axes
    """
    arms = pps_arms_data(audit)
    handles = _key_entries(audit, arms)
    by_pps, by_pfs, strip_pps, strip_pfs = _new_panels(page, len(handles)) if ax is None else ax
    endpoints = list(dict.fromkeys(arm.endpoint for arm in arms))
    endpoint = "PFS" if "PFS" in endpoints else endpoints[0]
    further = [name for name in endpoints if name != endpoint]
    either = f"{endpoint}{' (or ' + ', '.join(further) + ')' if further else ''}"
    definition = DEFINITIONS[audit.definition].format(endpoint=endpoint)
    of_difference = audit.definition == "median-difference"
    right = 1.06 * max(max(arm.median_pps, arm.median_pfs) for arm in arms)
    top = 1.06 * max(arm.median_os for arm in arms)
    largest = NARROW_LARGEST if page.is_narrow else LARGEST
    symbols_by_pps = _arms(by_pps, arms, [arm.median_pps for arm in arms], largest, focus)
    symbols_by_pfs = _arms(by_pfs, arms, [arm.median_pfs for arm in arms], largest, focus)
    _strip(strip_pps, audit["r_os_pps"], [(null.name, null.r_os_pps) for null in audit.nulls], "PPS")
    _strip(strip_pfs, audit["r_os_pfs"], [(null.name, null.r_os_pfs) for null in audit.nulls], "PFS")
    for axes, label, impossible in (
        (by_pps, f"Median PPS{'' if page.is_narrow else f', {definition}'} (months)", of_difference),
        (by_pfs, f"Median {either} (months)", True),
    ):
        axes.set(xlim=(0, right), ylim=(0, top), xlabel=label, ylabel="Median OS (months)")
        axes.xaxis.set_major_locator(MultipleLocator(10))
        axes.yaxis.set_major_locator(MultipleLocator(10))
        if impossible:  # OS cannot be shorter than a part of it
            axes.fill_between([0, top], [0, top], color="0.93", lw=0, zorder=0)
        style.clear_spines(axes)
    if of_difference:
        words = f"not possible: median {endpoint} below 0"
        by_pps.text(0.98, 0.03, words, transform=by_pps.transAxes, ha="right", fontsize="small", color="0.35")
    style.corner_key(by_pfs, handles, 1 if page.is_narrow else 3, handlelength=1.6, columnspacing=1.6)
    for axes, symbols in ((by_pps, symbols_by_pps), (by_pfs, symbols_by_pfs)):
        _name(axes, arms, symbols, focus)
    _titles(by_pps, by_pfs, audit, page)
    return by_pps, by_pfs, strip_pps, strip_pfs


def _new_panels(page: PageStyle, entries: int) -> tuple[Axes, Axes, Axes, Axes]:
    """Arms by PPS and by PFS side by side, with their strips below; with one column, one below the other."""
    columns, lines = (1, 2) if page.is_narrow else (2, 1)
    panel = NARROW_PANEL if page.is_narrow else PANEL
    key = KEY_LINE * (entries if page.is_narrow else -(-entries // 3))
    height = lines * (TITLE + panel + LABELS + STRIP + LABELS) + key
    width = (page.width - RIGHT) / columns - LEFT
    figure = style.new_figure(page.width, height)
    panels, strips = [], []
    for i in range(2):
        left = (LEFT + (i % columns) * (width + LEFT)) / page.width
        top = height - (i // columns) * (TITLE + panel + LABELS + STRIP + LABELS)
        panels.append(figure.add_axes((left, (top - TITLE - panel) / height, width / page.width, panel / height)))
        strip = (top - TITLE - panel - LABELS - STRIP) / height
        strips.append(figure.add_axes((left, strip, width / page.width, STRIP / height)))
    return panels[0], panels[1], strips[0], strips[1]


def _arms(
    axes: Axes, arms: Sequence[PlottedArm], x: Sequence[float], largest: float, focus: str | None
) -> list[Symbol]:
    """Draw arms as circles, filled if experimental, each joined to the control arm of its trial; return the circles."""
    controls: dict[str, tuple[float, float]] = {}
    for arm, place in zip(arms, x, strict=True):
        if not arm.experimental:
            controls.setdefault(arm.trial, (place, arm.median_os))
    for arm, place in zip(arms, x, strict=True):
        if arm.experimental and arm.trial in controls:
            xs, ys = zip(controls[arm.trial], (place, arm.median_os), strict=True)
            strong = arm.trial == focus
            colour, width = (style.LINE_COLOUR, 1.2) if strong else (JOINED_COLOUR, JOINED_WIDTH)
            axes.plot(xs, ys, color=colour, lw=width, zorder=5 if strong else 1)
    drawn = sorted(zip(arms, x, strict=True), key=lambda entry: -entry[0].area)
    for strong, stage in product((False, True), dict.fromkeys(arm.stage for arm in arms)):
        group = [(arm, place) for arm, place in drawn if arm.stage == stage and (arm.trial == focus) is strong]
        colour = STAGE_COLOURS.get(stage, style.INK)
        axes.scatter(
            [place for _, place in group],
            [arm.median_os for arm, _ in group],
            s=[largest * arm.area for arm, _ in group],
            marker=style.STAGE_MARKERS.get(stage, "o"),
            facecolor=[colour if arm.experimental else "white" for arm, _ in group],
            edgecolor=[style.LINE_COLOUR if strong else "white" if arm.experimental else colour for arm, _ in group],
            linewidth=[1.2 if strong else 0.5 if arm.experimental else 0.8 for arm, _ in group],
            linestyle=["--" if arm.unverified else "-" for arm, _ in group],
            alpha=1.0 if strong else 0.85,
            zorder=6 if strong else 2,
        )
    symbols = [
        Symbol(
            place,
            arm.median_os,
            symbol_radius(largest * arm.area, style.STAGE_MARKERS.get(arm.stage, "o"), outline=1.2),
        )
        for arm, place in zip(arms, x, strict=True)
    ]
    discs = zip(arms, symbols, strict=True)
    identify_symbols(axes, (MarkedSymbol(arm.identifier, disc.x, disc.y, 2 * disc.radius) for arm, disc in discs))
    return symbols


def _name(axes: Axes, arms: Sequence[PlottedArm], symbols: Sequence[Symbol], focus: str | None) -> None:
    """Write the name of the trial in focus beside its arm with the longest median OS."""
    marked = [(symbol.y, symbol.x, i) for i, symbol in enumerate(symbols) if arms[i].trial == focus]
    if marked:
        _, _, index = max(marked)
        label = Label(arms[index].label, symbols[index], bold=True, colour=style.LINE_COLOUR)
        place_labels(axes, [label], symbols)


def _strip(axes: Axes, observed: Estimate, nulls: Sequence[tuple[str, FloatArray]], part: str) -> None:
    """Distributions of a correlation under the nulls, and above them the observed correlation with its interval."""
    low = min(0.0, *(float(np.nanquantile(values, 0.002)) for _, values in nulls), observed.low or 0.0)
    bins = np.linspace(max(-1.0, low), 1.0, 61)
    highest = 0.0
    for name, values in nulls:
        heights, _ = np.histogram(values[np.isfinite(values)], bins, density=True)
        axes.stairs(heights, bins, color=NULLS[name][0], fill=True, alpha=0.45, lw=0)
        axes.stairs(heights, bins, color=NULLS[name][0], lw=0.8)
        highest = max(highest, float(heights.max()))
    y = 1.18 * (highest or 1.0)
    if observed.low is not None and observed.high is not None:
        axes.plot([observed.low, observed.high], [y, y], color=style.INK, lw=1.2, solid_capstyle="butt")
    axes.plot(float(observed.value or 0.0), y, "D", color=style.INK, ms=4)
    label = f"Correlation of median OS and {part} over arms"
    axes.set(xlim=(bins[0], 1.0), ylim=(0, 1.35 * (highest or 1.0)), yticks=[], xlabel=label)
    style.clear_spines(axes)
    axes.spines["left"].set_visible(False)


def _key_entries(audit: CouplingAudit, arms: Sequence[PlottedArm]) -> list[Line2D | Patch]:
    """Return the entries of the key for the distributions and the arms."""

    def symbol(label: str, fill: str, edge: str, outline: str = "-", marker: str = "o") -> Line2D:
        return Line2D([], [], marker=marker, lw=0, ms=4.5, mfc=fill, mec=edge, ls=outline, label=label)

    stages = [name for name in STAGE_COLOURS if any(arm.stage == name for arm in arms)]
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=style.INK, marker="D", ms=4, lw=1.2, label="observed, 95% (bootstrap over trials)"),
        *(Patch(facecolor=NULLS[null.name][0], alpha=0.6, label=NULLS[null.name][1]) for null in audit.nulls),
        *(symbol(f"{name} stage", STAGE_COLOURS[name], "white", "-", style.STAGE_MARKERS[name]) for name in stages),
        symbol("filled: experimental arm", style.INK, "white"),
        symbol("open: control arm", "white", style.INK),
        Line2D([], [], color=JOINED_COLOUR, lw=JOINED_WIDTH, label="arms of one trial"),
    ]
    if any(arm.unverified for arm in arms):
        handles.append(symbol("dashed: not verified", "none", style.INK, "--"))
    return handles


def _titles(left: Axes, right: Axes, audit: CouplingAudit, page: PageStyle) -> None:
    for axes, name in ((left, "r_os_pps"), (right, "r_os_pfs")):
        estimate = audit[name]
        axes.set_title(f"r = {with_interval(estimate)}", fontsize="small", fontweight="bold", loc="left")
    note = f"{len(audit.arms)} arms; descriptive"
    if not page.is_narrow:
        right.set_title(note, fontsize="small", loc="right")
