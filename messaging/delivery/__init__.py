"""From a queued text to what the carrier said of it.

`deliver.deliver` drains a lane; `reconciling.reconcile` finds out what the carrier did not say.
"""
