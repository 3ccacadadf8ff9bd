"""Rules of the trial tables, with their codes."""
