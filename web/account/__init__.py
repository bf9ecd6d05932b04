"""Signing in, passwords, and what each colleague chooses for themselves."""
