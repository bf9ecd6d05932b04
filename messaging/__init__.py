"""People we write to, what was said, and what waits for a human.

`contactability.refusal` says why somebody may not be texted; `outbox.text_patient` is the only way out.
"""
