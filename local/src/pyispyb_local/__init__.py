"""The whole suite on one machine: start, watch, stop, read its log."""
