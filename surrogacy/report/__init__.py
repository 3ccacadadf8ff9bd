"""Reports: results into JSON, tables, captions, figures on disk and the screen."""
