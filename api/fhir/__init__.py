"""The record in FHIR R4, to be read: by id and by search, with the same keys, scopes, rate and audit as the rest."""
