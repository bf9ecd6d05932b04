"""FHIR R4 resources as dicts, each from one row of ours; knows no clock and no database."""
