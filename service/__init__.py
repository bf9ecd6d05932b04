"""The roof: what runs, and the commands that start it.

`app` is the web application, `worker` and `ticker` work the lanes off, `cli` holds the commands.
"""
