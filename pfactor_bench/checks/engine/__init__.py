"""How a check is registered, given its arguments, run and described."""
