"""Brakes: a kind of a clinic's texts is held back, by a person or by itself; what safety hangs on never is."""
