"""Values that every model returns, and the text of a number."""
