"""Whether an alert would leave now: a made-up positive answer goes the whole way to a colleague's phone, ever again.

`checking` begins one and looks what came of it, `pinging` tells a dead man's switch outside that it came through.
"""
