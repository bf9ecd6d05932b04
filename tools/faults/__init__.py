"""A whole service under seeded faults: what a run meets is planned, and its oracles judge from outside."""
