"""Exact posteriors by quadrature."""
