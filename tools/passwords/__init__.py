"""Makes the list of common passwords that ships with the service."""
