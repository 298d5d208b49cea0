"""Backups of the embedded engine: a folder of checked copies with a manifest, and the way back."""
