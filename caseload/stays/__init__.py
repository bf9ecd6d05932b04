"""Stays in a hospital as a month of care reckons with them: what feeds tell, and what colleagues have put right."""
