"""What a user office knows of a proposal, brought into ISPyB by one call."""

from pyispyb_core.operations.sync.sync import Sync

__all__ = ["Sync"]
