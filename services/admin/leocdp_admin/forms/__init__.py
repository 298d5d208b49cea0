"""Forms: what a person typed, what is wrong with it in a sentence, and what the application shall be asked."""
