"""What ssx shows: its nouns."""

from pyispyb_ssx.catalogue.runs import runs as runs

NOUNS = (runs,)
