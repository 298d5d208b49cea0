"""How the installation is, from what admin itself can see: readings, measures, rules, sentences."""
