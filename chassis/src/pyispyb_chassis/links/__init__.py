"""Links for plain downloads and calendars: the only secrets that ever stand in a URL."""
