"""A run: its settings, the stages that compute it, and the value in which they store the results."""
