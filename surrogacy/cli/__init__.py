"""Command line: options, terminal, processes; one file per command."""
