"""The steps a clinic writes down in a file, read strictly. Pure.

`cadence_definition.parse` reads it, `toml_file.write` writes it, `explaining.explain` says why a text leaves or not.
"""
