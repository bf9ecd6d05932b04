"""What the clinic's EHRs say, HL7 v2 messages and FHIR resources, read as acts: visits booked, moved and cancelled,
patients changed, merged and deceased, scores. Reading is pure: nothing here knows the database or the clock."""
