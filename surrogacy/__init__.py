"""Trial-level surrogacy of progression endpoints for overall survival."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from surrogacy.effects import Effects
    from surrogacy.trials import TrialSet, read_pairs, read_trials

__version__ = "0.3.0"
__all__ = ["Effects", "TrialSet", "__version__", "read_pairs", "read_trials"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: ``import surrogacy`` itself loads nothing heavy."""
    from importlib import import_module

    where = {
        "Effects": "surrogacy.effects",
        **dict.fromkeys(("TrialSet", "read_pairs", "read_trials"), "surrogacy.trials"),
    }
    if name in where:
        return getattr(import_module(where[name]), name)
    raise AttributeError(f"module 'surrogacy' has no attribute {name!r}")
