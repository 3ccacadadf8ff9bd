"""One HTML page of a run: the answer, figures, tables, caveats and the source of every hazard ratio."""
