"""The service on one machine: its queue store and its processes, started, watched and ended together."""
