"""Material for a paper: methods and results in words, references, and checklists of reporting guidelines."""
