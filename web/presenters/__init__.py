"""What pages show, read from the database and put in words; nothing here changes anything.

`case_view.read` is the whole case, `list_rows` the list, `filters` what it is narrowed by.
"""
