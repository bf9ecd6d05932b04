"""What a text says and costs: the shipped words, the clinic's own over them, and what none may say.

`clinic_words.of` gives the words in force, `text_templates.render` fills them in, `text_templates.lint` reads them.
"""
