"""Order of the comparisons of a forest plot: by stage and drug class, in pages that do not divide a class."""

from __future__ import annotations

import numpy as np

from surrogacy.results.result import Result

MOST_ROWS = 54  # of a page, with headings
OTHER_CLASS = "other"


def class_groups(result: Result) -> list[list[int]]:
    """Return the indices of the comparisons of a fit by stage and class.

    Stages are in alphabetical order, the classes of a stage by their number of comparisons, other treatments last, and
    the comparisons of a class by their surrogate effect, unreported ones last.

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
    order = sorted(groups, key=lambda key: (key[0], key[1] == OTHER_CLASS, -len(groups[key]), key[1]))
    return [sorted(groups[key], key=lambda i: float(effects.log_hr[i, 0])) for key in order]


def class_pages(result: Result, most: int = MOST_ROWS) -> list[list[list[int]]]:
    """Return the groups of each page of a forest plot: as few pages as possible, the longest as short as possible.

    Parameters
    ----------
    result : Result
    most : int
        Rows of a page; a page has more only if a single class does.
    """
    groups = class_groups(result)
    fewest = len(_filled_pages(groups, most))
    return next(pages for rows in range(1, most + 1) if len(pages := _filled_pages(groups, rows)) == fewest)


def _filled_pages(groups: list[list[int]], rows: int) -> list[list[list[int]]]:
    """Return pages that are each filled with groups and their headings up to a number of rows."""
    pages: list[list[list[int]]] = [[]]
    for group in groups:
        if pages[-1] and sum(len(each) + 1 for each in [*pages[-1], group]) > rows:
            pages.append([])
        pages[-1].append(group)
    return pages
