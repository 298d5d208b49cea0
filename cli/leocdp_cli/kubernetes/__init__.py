"""What ``leocdp doctor --kubernetes`` looks at: pure checks of documents, and one module that calls kubectl."""
