"""A run: settings, the stages that compute it, and the value that they fill."""
