"""What may be done with runs and batches: one verb, its rules, one transaction."""
