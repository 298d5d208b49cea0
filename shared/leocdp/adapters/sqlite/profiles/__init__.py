"""The parts of the embedded profile store: one SQLite file that the processor writes and the admin service reads."""
