"""One module per wire protocol: the routes it owns, how a request becomes items, and how it is answered. Pure."""
