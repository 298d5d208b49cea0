"""The parts of the embedded admin store."""
