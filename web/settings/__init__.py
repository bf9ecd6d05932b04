"""What a clinic decides about itself, each decision on a page of its own.

`decision_form.show` and `decision_form.save` serve every kind of decision.
"""
