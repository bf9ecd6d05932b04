"""Lists for the whole team: who is away, who was not reached, what has no owner, how soon we answer."""
