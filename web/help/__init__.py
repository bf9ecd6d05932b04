"""Help inside the product: a page of plain words for each page, and hints for whoever is there for the first time."""
