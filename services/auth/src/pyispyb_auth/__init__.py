"""Who you are: providers, tokens, keys, refresh."""
