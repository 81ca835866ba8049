"""The same gateway for Envoy: kong.yml, filled, as an Envoy configuration."""
