"""Order of the comparisons of a forest plot: by stage and drug class, in pages that do not divide a class."""

from __future__ import annotations

import numpy as np

from surrogacy.results.result import Result

MOST_ROWS = 54  # of a page, with headings


def class_groups(result: Result) -> list[list[int]]:
    """Return the indices of the comparisons of a fit by stage and class.

    Stages are in alphabetical order, the classes of a stage by their number of comparisons, and the comparisons of a
    class by their surrogate effect, unreported ones last.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import WeightedRegression
    >>> result = WeightedRegression().fit(surrogacy.read_trials().analysis_set("tactics-2022"))
    >>> [len(group) for group in class_groups(result)]
    [6]
    """
    effects, left_out = result.effects, [entry.comparison for entry in result.left_out]
    blank = ("",) * len(effects)
    stages, classes = (effects.covariates.get(name, blank) for name in ("stage", "class"))
    groups: dict[tuple[str, str], list[int]] = {}
    for i in np.flatnonzero(~np.isin(effects.comparison, left_out)).tolist():
        groups.setdefault((stages[i], classes[i]), []).append(i)
    order = sorted(groups, key=lambda key: (key[0], -len(groups[key]), key[1]))
    return [sorted(groups[key], key=lambda i: float(effects.log_hr[i, 0])) for key in order]


def class_pages(result: Result, most: int = MOST_ROWS) -> list[list[list[int]]]:
    """Return the groups of each page of a forest plot, of about equal length.

    Parameters
    ----------
    result : Result
    most : int
        Rows of a page; a page has more only if a single class does.
    """
    groups = class_groups(result)
    total = sum(len(group) + 1 for group in groups)
    target = total / -(-total // most) if total else most
    pages: list[list[list[int]]] = [[]]
    length = 0
    for group in groups:
        size = len(group) + 1
        if pages[-1] and (length + size > most or length + size / 2 > target):
            pages.append([])
            length = 0
        pages[-1].append(group)
        length += size
    return pages
