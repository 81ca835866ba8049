"""What every service of the suite stands on, and nothing that a service could own."""
