"""User tables: files, headings and layouts of the tables of a user, and the template."""
