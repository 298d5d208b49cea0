"""The parts of admin's store in ArangoDB: collections that only admin services write."""
