"""What is owed to the clinic's EHRs: a row for each thing an EHR is to hear, written with what happened itself."""
