"""What goes back to the clinic's EHRs: an outbox for each, of what it may hear, each thing once."""
