"""What patients say of the clinic: who is asked when, what they answer, and who reads it."""
