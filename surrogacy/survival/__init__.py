"""Illness-death models, limits of Cox estimates and the law of the log-rank test; no trial tables."""
