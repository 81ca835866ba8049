"""The steps by which auth's tables came to their form."""
