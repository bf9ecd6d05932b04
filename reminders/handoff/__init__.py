"""How a warm handoff goes: its states and times (`machine`), what a clinic decides of it (`terms`), whom it is offered
to (`order`, `offers`), how each stands (`standing`), how they went on the whole (`measures`).
"""
