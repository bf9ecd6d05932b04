"""What is run beside the service by those who work on it, and never ships with it."""
