"""Figures: one per file, each with ``<name>_data(result)`` and ``plot_<name>(result, ax=None)``."""

from surrogacy.figures.added import added_data, plot_added
from surrogacy.figures.bubble import bubble_data, plot_bubble
from surrogacy.figures.choices import choices_data, plot_choices
from surrogacy.figures.class_slopes import class_slopes_data, plot_class_slopes
from surrogacy.figures.cross_validation import cross_validation_data, plot_cross_validation
from surrogacy.figures.dilution_map import dilution_map_data, plot_dilution_map
from surrogacy.figures.forest import plot_forest
from surrogacy.figures.forest_rows import forest_data
from surrogacy.figures.hazard_ratio_over_time import hazard_ratio_over_time_data, plot_hazard_ratio_over_time
from surrogacy.figures.moderated_lines import moderated_lines_data, plot_moderated_lines
from surrogacy.figures.placement import placement_data, plot_placement
from surrogacy.figures.posterior import plot_posterior, posterior_data
from surrogacy.figures.pps_arms import plot_pps_arms, pps_arms_data
from surrogacy.figures.prediction import plot_prediction, prediction_data
from surrogacy.figures.prior_sensitivity import plot_prior_sensitivity, prior_sensitivity_data
from surrogacy.figures.waterfall import plot_waterfall, waterfall_data

__all__ = [
    "added_data",
    "bubble_data",
    "choices_data",
    "class_slopes_data",
    "cross_validation_data",
    "dilution_map_data",
    "forest_data",
    "hazard_ratio_over_time_data",
    "moderated_lines_data",
    "placement_data",
    "plot_added",
    "plot_bubble",
    "plot_choices",
    "plot_class_slopes",
    "plot_cross_validation",
    "plot_dilution_map",
    "plot_forest",
    "plot_hazard_ratio_over_time",
    "plot_moderated_lines",
    "plot_placement",
    "plot_posterior",
    "plot_pps_arms",
    "plot_prediction",
    "plot_prior_sensitivity",
    "plot_waterfall",
    "posterior_data",
    "pps_arms_data",
    "prediction_data",
    "prior_sensitivity_data",
    "waterfall_data",
]
