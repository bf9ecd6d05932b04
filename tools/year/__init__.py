"""A clinic's year in minutes: a clock that is set, people who are made up, and the service's own lanes on real SQL.

`life` says what people do (pure), `phones` is the network they hold, `town` does it through the service's own acts,
`turning` moves the clock and works lanes off, `oracles` judge after each simulated hour and day.
"""
