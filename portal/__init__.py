"""The patient's own page, behind a link and a birth date.

`pages` shows it; `visits.act` and `preferences` do what is asked there; `views` is what the clinic asks of how it did.
"""
