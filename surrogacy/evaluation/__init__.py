"""Evaluation of a result: refits, influence, cross-validation, sensitivity, criteria, placement of a trial."""
