"""Settings of models: their checks, and their form for the record."""

from __future__ import annotations

from collections.abc import Iterable

from surrogacy.errors import UsageError

Setting = str | float | list[int] | None


def check_new_n(new_n: float | None) -> None:
    """Refuse an impossible size of the new trial.

    Raises
    ------
    UsageError
    """
    if new_n is not None and not new_n > 0:
        raise UsageError(f"the size of the new trial must be above 0; got {new_n:g}")


def priors_in_words(model: object, names: Iterable[str]) -> dict[str, Setting]:
    """Priors of a model in words, under the names that records use: ``prior_slope`` for the field ``slope``."""
    return {f"prior_{name}": str(getattr(model, name)) for name in names}
