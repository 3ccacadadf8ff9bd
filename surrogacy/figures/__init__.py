"""Figures: one a file; each has ``x_data(result)`` (what is drawn) and ``plot_x(result, ax=None)``."""

from surrogacy.figures.bubble import bubble_data, plot_bubble
from surrogacy.figures.choices import choices_data, plot_choices
from surrogacy.figures.class_slopes import class_slopes_data, plot_class_slopes
from surrogacy.figures.cross_validation import cross_validation_data, plot_cross_validation
from surrogacy.figures.forest import forest_data, plot_forest
from surrogacy.figures.placement import placement_data, plot_placement
from surrogacy.figures.posterior import plot_posterior, posterior_data
from surrogacy.figures.prior_sensitivity import plot_prior_sensitivity, prior_sensitivity_data

__all__ = [
    "bubble_data",
    "choices_data",
    "class_slopes_data",
    "cross_validation_data",
    "forest_data",
    "placement_data",
    "plot_bubble",
    "plot_choices",
    "plot_class_slopes",
    "plot_cross_validation",
    "plot_forest",
    "plot_placement",
    "plot_posterior",
    "plot_prior_sensitivity",
    "posterior_data",
    "prior_sensitivity_data",
]  # fmt: skip
