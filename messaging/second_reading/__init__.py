"""What the clinic makes of the second reader: whether it acts, what it said of each text, what people said of that.

`messaging.reading` reads (pure); here each reading is kept, counted and shown to whoever may see it.
"""
