"""A folder of results that is replaced as a whole."""
