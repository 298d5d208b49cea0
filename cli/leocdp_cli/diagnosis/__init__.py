"""What ``leocdp doctor`` looks at: a module per subject, each with functions that yield findings."""
