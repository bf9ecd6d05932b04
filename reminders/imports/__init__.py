"""Visits and patients from files: each row stored, or kept with the reason why not.

`csv_import.import_file` takes a file at once; `runs.preview` and `runs.start` work on one in parts, for a page.
"""
