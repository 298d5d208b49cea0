"""The JSON API, one module per area: it reads the request, calls a use case, and writes the answer."""
