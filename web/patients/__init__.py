"""A patient's page: search, record, phones, consent, forms, and whose an unknown number is."""
