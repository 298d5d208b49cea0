"""Languages: catalogues, the choice of a language, and numbers, dates and money as its readers write them."""
