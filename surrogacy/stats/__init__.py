"""Correlation, lines and bands, normal mixtures, bootstrap and power."""
