"""Who may see and do what: every rule once, in SQL, under one English sentence."""

from pyispyb_core.rules.naming import Rule
from pyispyb_core.rules.policy import RULES, SCOPE_NARROWS, Rules
from pyispyb_core.rules.viewer import Level, Viewer

__all__ = ["RULES", "SCOPE_NARROWS", "Level", "Rule", "Rules", "Viewer"]
