"""Posteriors by quadrature."""
