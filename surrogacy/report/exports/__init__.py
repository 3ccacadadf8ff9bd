"""Analysis sets in the formats of other programs, with scripts that fit the corresponding model."""
