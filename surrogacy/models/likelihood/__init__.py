"""Likelihood of the bivariate model, its maximum, and profile intervals."""
