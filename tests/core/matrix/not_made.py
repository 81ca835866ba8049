"""The foreign keys of which no case can be made of the catalogue, each with why; by hand.

A case that turns out to be makeable must leave its table, and a new one must come in with a reason.
"""

# Nouns whose rows everybody with a login sees: none of them is unseen, none of another proposal.
SEEN_BY_ALL = {
    "beamline-setups": "what a beamline is made of is told to everybody",
    "component-sub-types": "a lookup",
    "component-types": "a lookup",
    "concentration-types": "a lookup",
    "container-types": "a lookup",
    "detectors": "what a beamline is made of is told to everybody",
    "experiment-types": "a lookup",
    "geometry-classnames": "a lookup",
    "imagers": "a lookup",
    "inspection-types": "a lookup",
    "processing-pipeline-categories": "a lookup",
    "processing-pipelines": "a lookup",
    "purification-columns": "a lookup",
    "sample-types": "a lookup",
    "schedule-components": "a lookup",
    "schedules": "a lookup",
    "space-groups": "a lookup",
}

# Nouns whose rows belong to no proposal, and may be named in several.
OF_NO_PROPOSAL = {
    "laboratories": "people of many proposals work in one",
    "permissions": "of other programs, for whole groups",
    "persons": "a person is a member of many proposals",
}

_ADMINISTRATORS = "set by administrators only, who see every row"

# noun, verb, column: nobody who may set this column does not see a row that it could name.
UNSEEN = {
    ("persons", "create", "laboratoryId"): _ADMINISTRATORS,
    ("proposals", "create", "personId"): _ADMINISTRATORS,
    ("proposals", "patch", "personId"): _ADMINISTRATORS,
    ("user-group-people", "create", "userGroupId"): _ADMINISTRATORS,
    ("user-group-people", "create", "personId"): _ADMINISTRATORS,
    ("user-group-permissions", "create", "userGroupId"): _ADMINISTRATORS,
    ("user-group-permissions", "create", "permissionId"): _ADMINISTRATORS,
}

_NAMED_ELSEWHERE = "what another proposal alone names is seen there"

# noun, verb, column: nobody who may set this column sees a row of another proposal.
ELSEWHERE = {
    ("ligand-structures", "create", "pdbId"): _NAMED_ELSEWHERE,
    ("protein-structures", "create", "pdbid"): _NAMED_ELSEWHERE,
}
