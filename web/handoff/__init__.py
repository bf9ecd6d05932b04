"""Warm handoffs: asking for one, answering one, how they went on the whole."""
