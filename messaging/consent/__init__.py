"""What each number agreed to, the words behind it, and the proof.

`ledger.record` adds a line and `ledger.state` reads what holds; `proof.gather` puts together what proves it.
"""
