"""FHIR R4 resources, told as acts."""
