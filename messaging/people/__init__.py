"""Patients, clinics and colleagues: saved, found, and what no file overrules.

`directory.save_patient` saves one, `bulk_save.save_patients` many; `name_search.search` finds them.
"""
