"""Who is asking: the gateway's signature, sessions of people, and the token that guards their changes."""
