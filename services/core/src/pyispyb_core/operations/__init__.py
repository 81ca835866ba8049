"""What may be done that is more than a row: one verb, its rules, one transaction."""
