"""What we keep of a patient, told to others in FHIR R4: by id, by search, and as one whole record.

`fhir` writes the resources (pure), `kinds` says where each comes from and how it is searched, `searching` finds.
"""
