"""Likelihood of the bivariate model, its maximum and its profile intervals."""
