"""Change of every headline number from one run to another (``--add``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from surrogacy.evaluation import refits
from surrogacy.results.requirements import LeftOut, remedies
from surrogacy.results.result import Result

if TYPE_CHECKING:
    from surrogacy.analysis.fit_run import SetFit

# The numbers a reader looks at first, by model.
HEADLINES = {
    "weighted-pearson": ("r",),
    "weighted-regression": ("slope", "r2_trial", "ste_prediction"),
    "bivariate-ml": ("rho_between", "slope", "ste_prediction"),
    "bivariate-reml": ("rho_between", "slope", "ste_prediction"),
    "bivariate-bayes": ("r2_trial", "slope", "ste_prediction"),
    "daniels-hughes": ("slope", "sigma_cond", "ste_prediction"),
}


def changes(before: Sequence[SetFit], after: Sequence[SetFit]) -> list[dict[str, Any]]:
    """Compare the headline numbers of two runs, with the comparisons that each number rests on.

    Parameters
    ----------
    before, after : sequence of SetFit

    Returns
    -------
    list of dict
        One record per set, model and quantity: ``before``, ``after`` (None if the model was not fitted), ``k_before``, ``k_after``
        (comparisons in the fit), ``left_out_before``, ``left_out_after`` (identifiers of comparisons that lack a quantity the
        model needs), ``reason`` (why comparisons are left out after the change, or the model is not fitted), ``remedy``.
    """
    old = {one.name: one for one in before}
    records = []
    for one in after:
        for model in [*(result.model for result in one.results), *(entry.model for entry in one.not_fitted)]:
            earlier = old.get(one.name)
            results = earlier.result(model) if earlier is not None else None, one.result(model)
            omissions = _omissions(earlier, model), _omissions(one, model)
            about = {
                "set": one.name,
                "model": model,
                "k_before": _size(results[0]),
                "k_after": _size(results[1]),
                "left_out_before": [entry.comparison for entry in omissions[0]],
                "left_out_after": [entry.comparison for entry in omissions[1]],
                "reason": "; ".join(dict.fromkeys(entry.reason for entry in omissions[1])),
                "remedy": remedies(omissions[1]),
            }
            for name in HEADLINES.get(model, ()):
                values = {"before": _headline(results[0], name), "after": _headline(results[1], name)}
                records.append(about | {"estimate": name} | values)
    return records


def _omissions(one: SetFit | None, model: str) -> tuple[LeftOut, ...]:
    """Return the comparisons that a model leaves out, whether it was fitted to the others or not."""
    if one is None:
        return ()
    result = one.result(model)
    if result is not None:
        return result.left_out
    return {entry.model: entry.left_out for entry in one.not_fitted}.get(model, ())


def _size(result: Result | None) -> int | None:
    return None if result is None else len(result.effects)


def _headline(result: Result | None, name: str) -> float | None:
    if result is None or result.estimates.get(name) is None:
        return None
    value = refits.point_estimates(result)[name]
    return None if value is None else float(value)
