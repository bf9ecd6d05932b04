"""From handing out a link to a scored answer in the right hands.

`links.issue` makes a link, `links.verify` lets in by birth date; `submissions.accept` scores answers and raises alerts.
"""
