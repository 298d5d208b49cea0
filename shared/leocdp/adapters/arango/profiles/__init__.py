"""The parts of the distributed profile store: collections that processors write and admin services read."""
