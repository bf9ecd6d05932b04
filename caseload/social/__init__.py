"""Social needs: ten questions asked in person, scored by published codes in the clinic's own copy of their wording."""
