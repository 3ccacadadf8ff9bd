"""Results of the models, their labels, and numbers as text."""
