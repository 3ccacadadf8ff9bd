"""Figures: one a file; each has ``x_data(result)`` (what is drawn) and ``plot_x(result, ax=None)``."""

from surrogacy.figures.bubble import bubble_data, plot_bubble
from surrogacy.figures.forest import forest_data, plot_forest

__all__ = ["bubble_data", "forest_data", "plot_bubble", "plot_forest"]
