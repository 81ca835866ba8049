"""Every permission of the suite, with its meaning: `<noun's path>:<what>`."""

from enum import StrEnum


class Permission(StrEnum):
    """A name in one list; docs/permissions.md is tested against it."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> "Permission":
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    ACCOUNTS_MANAGE = (
        "accounts:manage",
        "manage service accounts, and end personal tokens of others",
    )
    ATLASES_READ = "atlases:read", "read atlases of cryo-EM grids of sessions that you may see"
    ATLASES_WRITE = (
        "atlases:write",
        "record atlases of cryo-EM grids in sessions that you may write in",
    )
    AUTOPROC_INTEGRATIONS_READ = (
        "autoproc-integrations:read",
        "read integrations of collections that you may see",
    )
    AUTOPROC_INTEGRATIONS_WRITE = (
        "autoproc-integrations:write",
        "staff: record integrations in sessions on your beamlines",
    )
    AUTOPROC_PROGRAM_ATTACHMENTS_READ = (
        "autoproc-program-attachments:read",
        "read files that processing wrote of collections that you may see",
    )
    AUTOPROC_PROGRAM_ATTACHMENTS_WRITE = (
        "autoproc-program-attachments:write",
        "staff: record files that processing wrote in sessions on your beamlines",
    )
    AUTOPROC_PROGRAM_MESSAGES_READ = (
        "autoproc-program-messages:read",
        "read messages of processing of collections that you may see",
    )
    AUTOPROC_PROGRAM_MESSAGES_WRITE = (
        "autoproc-program-messages:write",
        "staff: record messages of processing in sessions on your beamlines",
    )
    AUTOPROC_PROGRAMS_READ = (
        "autoproc-programs:read",
        "read processing programs that ran on collections that you may see",
    )
    AUTOPROC_PROGRAMS_WRITE = (
        "autoproc-programs:write",
        "staff: record processing programs in sessions on your beamlines",
    )
    AUTOPROC_SCALING_INTEGRATIONS_READ = (
        "autoproc-scaling-integrations:read",
        "read which integrations scalings took in, of collections that you may see",
    )
    AUTOPROC_SCALING_INTEGRATIONS_WRITE = (
        "autoproc-scaling-integrations:write",
        "staff: record which integrations a scaling took in in sessions on your beamlines",
    )
    AUTOPROC_SCALING_STATISTICS_READ = (
        "autoproc-scaling-statistics:read",
        "read statistics of scalings of collections that you may see",
    )
    AUTOPROC_SCALING_STATISTICS_WRITE = (
        "autoproc-scaling-statistics:write",
        "staff: record statistics of scalings in sessions on your beamlines",
    )
    AUTOPROC_SCALINGS_READ = (
        "autoproc-scalings:read",
        "read scalings of collections that you may see",
    )
    AUTOPROC_SCALINGS_WRITE = (
        "autoproc-scalings:write",
        "staff: record scalings in sessions on your beamlines",
    )
    AUTOPROCS_READ = (
        "autoprocs:read",
        "read cells and space groups that processing found for collections that you may see",
    )
    AUTOPROCS_WRITE = (
        "autoprocs:write",
        "staff: record cells and space groups in sessions on your beamlines",
    )
    BEAM_CALENDARS_READ = "beam-calendars:read", "read the machine's calendar"
    BEAM_CALENDARS_WRITE = "beam-calendars:write", "administrators: change the machine's calendar"
    BEAMLINE_SETUPS_READ = "beamline-setups:read", "read how beamlines are set up"
    BEAMLINE_SETUPS_WRITE = (
        "beamline-setups:write",
        "record the setup of a beamline that you are staff of",
    )
    COMPONENT_LATTICES_READ = (
        "component-lattices:read",
        "read lattices of proteins that you may see",
    )
    COMPONENT_LATTICES_WRITE = (
        "component-lattices:write",
        "create and change lattices of proteins of your proposals",
    )
    COMPONENT_SUB_TYPES_READ = "component-sub-types:read", "read finer kinds of components"
    COMPONENT_SUB_TYPES_WRITE = (
        "component-sub-types:write",
        "administrators: change finer kinds of components",
    )
    COMPONENT_TYPES_READ = "component-types:read", "read kinds of components"
    COMPONENT_TYPES_WRITE = "component-types:write", "administrators: change kinds of components"
    COMPONENTS_READ = "components:read", "read components of samples that you may see"
    COMPONENTS_WRITE = (
        "components:write",
        "create and change components of samples of your proposals",
    )
    CONCENTRATION_TYPES_READ = "concentration-types:read", "read units of concentrations"
    CONCENTRATION_TYPES_WRITE = (
        "concentration-types:write",
        "administrators: change units of concentrations",
    )
    CONTAINER_HISTORY_READ = (
        "container-history:read",
        "read where containers that you may see have been",
    )
    CONTAINER_HISTORY_WRITE = (
        "container-history:write",
        "record where a container of your proposals is",
    )
    CONTAINER_INSPECTIONS_READ = (
        "container-inspections:read",
        "read inspections of containers that you may see",
    )
    CONTAINER_INSPECTIONS_WRITE = (
        "container-inspections:write",
        "ask for inspections of containers of your proposals",
    )
    CONTAINER_QUEUE_SAMPLES_READ = (
        "container-queue-samples:read",
        "read what is to be measured of containers that you may see",
    )
    CONTAINER_QUEUE_SAMPLES_WRITE = (
        "container-queue-samples:write",
        "say what is to be measured of containers of your proposals",
    )
    CONTAINER_QUEUE_READ = (
        "container-queue:read",
        "read which containers that you may see wait to be measured",
    )
    CONTAINER_QUEUE_WRITE = (
        "container-queue:write",
        "put containers of your proposals into the queue, and take them out",
    )
    CONTAINER_TYPES_READ = "container-types:read", "read kinds of containers"
    CONTAINER_TYPES_WRITE = "container-types:write", "administrators: change kinds of containers"
    CONTAINERS_READ = "containers:read", "read containers that you may see"
    CONTAINERS_WRITE = "containers:write", "create and change containers of your proposals"
    CRYSTAL_COMPOSITIONS_READ = (
        "crystal-compositions:read",
        "read what crystals that you may see were grown with",
    )
    CRYSTAL_COMPOSITIONS_WRITE = (
        "crystal-compositions:write",
        "say what crystals of your proposals were grown with",
    )
    CRYSTALS_READ = "crystals:read", "read crystals that you may see"
    CRYSTALS_WRITE = "crystals:write", "create and change crystals of your proposals"
    CTFS_READ = "ctfs:read", "read contrast transfer functions of sessions that you may see"
    CTFS_WRITE = (
        "ctfs:write",
        "record contrast transfer functions in sessions that you may write in",
    )
    DATACOLLECTION_ATTACHMENTS_READ = (
        "datacollection-attachments:read",
        "read files of data collections of sessions that you may see",
    )
    DATACOLLECTION_ATTACHMENTS_WRITE = (
        "datacollection-attachments:write",
        "record files of data collections in sessions that you may write in",
    )
    DATACOLLECTION_GROUPS_READ = (
        "datacollection-groups:read",
        "read groups of data collections of sessions that you may see",
    )
    DATACOLLECTION_GROUPS_WRITE = (
        "datacollection-groups:write",
        "record groups of data collections in sessions that you may write in",
    )
    DATACOLLECTIONS_READ = (
        "datacollections:read",
        "read data collections of sessions that you may see",
    )
    DATACOLLECTIONS_WRITE = (
        "datacollections:write",
        "record data collections in sessions that you may write in",
    )
    DETECTORS_READ = "detectors:read", "read detectors"
    DETECTORS_WRITE = "detectors:write", "administrators: change detectors"
    DEWAR_REGISTRY_PROPOSALS_READ = (
        "dewar-registry-proposals:read",
        "read which proposals use registered dewars, of those that you may see",
    )
    DEWAR_REGISTRY_PROPOSALS_WRITE = (
        "dewar-registry-proposals:write",
        "attach registered dewars to your proposals, and detach them",
    )
    DEWAR_REGISTRY_READ = (
        "dewar-registry:read",
        "read registered dewars of proposals that you may see",
    )
    DEWAR_REGISTRY_WRITE = "dewar-registry:write", "register and change dewars of your proposals"
    DEWAR_TRANSPORT_HISTORY_READ = (
        "dewar-transport-history:read",
        "read where dewars that you may see have been",
    )
    DEWAR_TRANSPORT_HISTORY_WRITE = "dewar-transport-history:write", "record where a dewar is"
    DEWARS_READ = "dewars:read", "read dewars that you may see"
    DEWARS_WRITE = "dewars:write", "create and change dewars of your proposals"
    DIFFRACTION_PLANS_READ = "diffraction-plans:read", "read diffraction plans that you may see"
    DIFFRACTION_PLANS_WRITE = (
        "diffraction-plans:write",
        "create and change diffraction plans of your proposals",
    )
    ENERGY_SCAN_SAMPLES_READ = (
        "energy-scan-samples:read",
        "read samples of energy scans of sessions that you may see",
    )
    ENERGY_SCAN_SAMPLES_WRITE = (
        "energy-scan-samples:write",
        "name samples of energy scans in sessions that you may write in",
    )
    ENERGY_SCANS_READ = "energy-scans:read", "read energy scans of sessions that you may see"
    ENERGY_SCANS_WRITE = (
        "energy-scans:write",
        "record energy scans in sessions that you may write in",
    )
    EVERYTHING_READ_ALL = "everything:read-all", "read every row, also those that belong to nobody"
    EVERYTHING_WRITE_ALL = (
        "everything:write-all",
        "write every row, rights-bearing columns included",
    )
    EXPERIMENT_TYPES_READ = "experiment-types:read", "read kinds of experiments"
    EXPERIMENT_TYPES_WRITE = "experiment-types:write", "administrators: change kinds of experiments"
    FOIL_HOLES_READ = (
        "foil-holes:read",
        "read foil holes of grid squares of sessions that you may see",
    )
    FOIL_HOLES_WRITE = (
        "foil-holes:write",
        "record foil holes of grid squares in sessions that you may write in",
    )
    GEOMETRY_CLASSNAMES_READ = "geometry-classnames:read", "read classes of space groups"
    GEOMETRY_CLASSNAMES_WRITE = (
        "geometry-classnames:write",
        "administrators: change classes of space groups",
    )
    GRID_INFOS_READ = "grid-infos:read", "read grids of raster scans of sessions that you may see"
    GRID_INFOS_WRITE = (
        "grid-infos:write",
        "record grids of raster scans in sessions that you may write in",
    )
    GRID_SQUARES_READ = (
        "grid-squares:read",
        "read squares of cryo-EM grids of sessions that you may see",
    )
    GRID_SQUARES_WRITE = (
        "grid-squares:write",
        "record squares of cryo-EM grids in sessions that you may write in",
    )
    IMAGE_QUALITY_READ = (
        "image-quality:read",
        "read what images are worth of sessions that you may see",
    )
    IMAGE_QUALITY_WRITE = (
        "image-quality:write",
        "record what images are worth in sessions that you may write in",
    )
    IMAGERS_READ = "imagers:read", "read imagers that a site has"
    IMAGERS_WRITE = "imagers:write", "administrators: change imagers that a site has"
    IMAGES_READ = "images:read", "read images of data collections of sessions that you may see"
    IMAGES_WRITE = (
        "images:write",
        "record images of data collections in sessions that you may write in",
    )
    INSPECTION_TYPES_READ = "inspection-types:read", "read kinds of inspections"
    INSPECTION_TYPES_WRITE = "inspection-types:write", "administrators: change kinds of inspections"
    LABCONTACTS_READ = "labcontacts:read", "read lab contacts that you may see"
    LABCONTACTS_WRITE = "labcontacts:write", "create and change lab contacts of your proposals"
    LABORATORIES_READ = "laboratories:read", "read laboratories that you may see"
    LABORATORIES_WRITE = "laboratories:write", "change laboratories that only your proposals use"
    LIGANDS_READ = "ligands:read", "read ligands that you may see"
    LIGANDS_WRITE = "ligands:write", "create and change ligands of your proposals"
    MODEL_BUILDINGS_READ = (
        "model-buildings:read",
        "read models that were built, of collections that you may see",
    )
    MODEL_BUILDINGS_WRITE = (
        "model-buildings:write",
        "staff: record models that were built in sessions on your beamlines",
    )
    MOTION_CORRECTIONS_READ = (
        "motion-corrections:read",
        "read motion corrections of sessions that you may see",
    )
    MOTION_CORRECTIONS_WRITE = (
        "motion-corrections:write",
        "record motion corrections in sessions that you may write in",
    )
    MOTOR_POSITIONS_READ = (
        "motor-positions:read",
        "read where motors stood in collections of sessions that you may see",
    )
    MOTOR_POSITIONS_WRITE = (
        "motor-positions:write",
        "record where motors stood in collections in sessions that you may write in",
    )
    MOVIES_READ = "movies:read", "read movies of electron detectors of sessions that you may see"
    MOVIES_WRITE = (
        "movies:write",
        "record movies of electron detectors in sessions that you may write in",
    )
    PARTICLE_CLASSIFICATION_GROUPS_READ = (
        "particle-classification-groups:read",
        "read sortings of particles of sessions that you may see",
    )
    PARTICLE_CLASSIFICATION_GROUPS_WRITE = (
        "particle-classification-groups:write",
        "record sortings of particles in sessions that you may write in",
    )
    PARTICLE_CLASSIFICATIONS_READ = (
        "particle-classifications:read",
        "read classes of particles of sessions that you may see",
    )
    PARTICLE_CLASSIFICATIONS_WRITE = (
        "particle-classifications:write",
        "record classes of particles in sessions that you may write in",
    )
    PARTICLE_PICKERS_READ = (
        "particle-pickers:read",
        "read searches for particles of sessions that you may see",
    )
    PARTICLE_PICKERS_WRITE = (
        "particle-pickers:write",
        "record searches for particles in sessions that you may write in",
    )
    PERMISSIONS_READ = "permissions:read", "administrators: read ISPyB's own permissions"
    PERMISSIONS_WRITE = "permissions:write", "administrators: change ISPyB's own permissions"
    PERSONS_READ = "persons:read", "read yourself whole, co-members by name, lab contacts"
    PERSONS_READ_ALL = "persons:read-all", "read every person and laboratory whole"
    PERSONS_WRITE = "persons:write", "change yourself and lab contacts that only you use"
    PHASING_ANALYSES_READ = (
        "phasing-analyses:read",
        "read analyses of phases, of collections that you may see",
    )
    PHASING_ANALYSES_WRITE = (
        "phasing-analyses:write",
        "staff: record analyses of phases in sessions on your beamlines",
    )
    PHASING_PREPARATIONS_READ = (
        "phasing-preparations:read",
        "read preparations of data for phasing, of collections that you may see",
    )
    PHASING_PREPARATIONS_WRITE = (
        "phasing-preparations:write",
        "staff: record preparations of data for phasing in sessions on your beamlines",
    )
    PHASING_PROGRAM_ATTACHMENTS_READ = (
        "phasing-program-attachments:read",
        "read files that phasing wrote, of collections that you may see",
    )
    PHASING_PROGRAM_ATTACHMENTS_WRITE = (
        "phasing-program-attachments:write",
        "staff: record files that phasing wrote in sessions on your beamlines",
    )
    PHASING_PROGRAM_RUNS_READ = (
        "phasing-program-runs:read",
        "read runs of phasing programs, of collections that you may see",
    )
    PHASING_PROGRAM_RUNS_WRITE = (
        "phasing-program-runs:write",
        "staff: record runs of phasing programs in sessions on your beamlines",
    )
    PHASING_SCALINGS_READ = (
        "phasing-scalings:read",
        "read which scalings were phased, of collections that you may see",
    )
    PHASING_SCALINGS_WRITE = (
        "phasing-scalings:write",
        "staff: record which scalings were phased in sessions on your beamlines",
    )
    PHASING_STATISTICS_READ = (
        "phasing-statistics:read",
        "read statistics of phasing, of collections that you may see",
    )
    PHASING_STATISTICS_WRITE = (
        "phasing-statistics:write",
        "staff: record statistics of phasing in sessions on your beamlines",
    )
    PHASING_STEPS_READ = (
        "phasing-steps:read",
        "read steps of phasing, of collections that you may see",
    )
    PHASING_STEPS_WRITE = (
        "phasing-steps:write",
        "staff: record steps of phasing in sessions on your beamlines",
    )
    PHASINGS_READ = "phasings:read", "read phases that were found, of collections that you may see"
    PHASINGS_WRITE = (
        "phasings:write",
        "staff: record phases that were found in sessions on your beamlines",
    )
    POSITIONS_READ = (
        "positions:read",
        "read points on samples that places name, of samples that you may see",
    )
    POSITIONS_WRITE = "positions:write", "create and change points that places on your samples name"
    PROCESSING_JOB_IMAGE_SWEEPS_READ = (
        "processing-job-image-sweeps:read",
        "read which images processing jobs take of sessions that you may see",
    )
    PROCESSING_JOB_IMAGE_SWEEPS_WRITE = (
        "processing-job-image-sweeps:write",
        "say which images a processing job takes in sessions that you may write in",
    )
    PROCESSING_JOB_PARAMETERS_READ = (
        "processing-job-parameters:read",
        "read parameters of processing jobs of sessions that you may see",
    )
    PROCESSING_JOB_PARAMETERS_WRITE = (
        "processing-job-parameters:write",
        "record parameters of processing jobs in sessions that you may write in",
    )
    PROCESSING_JOBS_READ = (
        "processing-jobs:read",
        "read processing jobs of sessions that you may see",
    )
    PROCESSING_JOBS_WRITE = (
        "processing-jobs:write",
        "record processing jobs in sessions that you may write in",
    )
    PROCESSING_PIPELINE_CATEGORIES_READ = (
        "processing-pipeline-categories:read",
        "read categories of processing pipelines",
    )
    PROCESSING_PIPELINE_CATEGORIES_WRITE = (
        "processing-pipeline-categories:write",
        "administrators: change categories of processing pipelines",
    )
    PROCESSING_PIPELINES_READ = (
        "processing-pipelines:read",
        "read processing pipelines that a site offers",
    )
    PROCESSING_PIPELINES_WRITE = (
        "processing-pipelines:write",
        "administrators: change processing pipelines that a site offers",
    )
    PROPOSAL_MEMBERS_READ = (
        "proposal-members:read",
        "read who the members are of proposals that you may see into",
    )
    PROPOSAL_MEMBERS_WRITE = (
        "proposal-members:write",
        "make and end memberships of proposals that you lead",
    )
    PROPOSALS_READ = "proposals:read", "read proposals that you may see"
    PROPOSALS_READ_ALL = "proposals:read-all", "read every proposal and session, and all in them"
    PROPOSALS_WRITE = "proposals:write", "change the title of your proposals"
    PROTEIN_COMPONENTS_READ = (
        "protein-components:read",
        "read which components come with proteins that you may see",
    )
    PROTEIN_COMPONENTS_WRITE = (
        "protein-components:write",
        "say which components come with proteins of your proposals",
    )
    PROTEIN_STRUCTURES_READ = (
        "protein-structures:read",
        "read which structures are known of proteins that you may see",
    )
    PROTEIN_STRUCTURES_WRITE = (
        "protein-structures:write",
        "say which structures are known of proteins of your proposals",
    )
    PROTEINS_READ = "proteins:read", "read proteins that you may see"
    PROTEINS_WRITE = "proteins:write", "create and change proteins of your proposals"
    PURIFICATION_COLUMNS_READ = "purification-columns:read", "read purification columns"
    PURIFICATION_COLUMNS_WRITE = (
        "purification-columns:write",
        "administrators: change purification columns",
    )
    ROBOT_ACTIONS_READ = (
        "robot-actions:read",
        "read sample changer actions of sessions that you may see",
    )
    ROBOT_ACTIONS_WRITE = (
        "robot-actions:write",
        "record sample changer actions in sessions that you may write in",
    )
    RUNS_READ = "runs:read", "read serial-crystallography runs of sessions that you may see"
    RUNS_WRITE = "runs:write", "record runs in sessions that you may write in"
    SAMPLE_COMPOSITIONS_READ = (
        "sample-compositions:read",
        "read what samples that you may see are made of",
    )
    SAMPLE_COMPOSITIONS_WRITE = (
        "sample-compositions:write",
        "say what samples of your proposals are made of",
    )
    SAMPLE_GROUPS_READ = "sample-groups:read", "read groups of samples that you may see"
    SAMPLE_GROUPS_WRITE = (
        "sample-groups:write",
        "create and change groups of samples of your proposals",
    )
    SAMPLE_IMAGES_READ = "sample-images:read", "read pictures of samples that you may see"
    SAMPLE_IMAGES_WRITE = (
        "sample-images:write",
        "create and change pictures of samples of your proposals",
    )
    SAMPLE_POSITIONS_READ = "sample-positions:read", "read points on samples that you may see"
    SAMPLE_POSITIONS_WRITE = "sample-positions:write", "mark points on samples of your proposals"
    SAMPLE_TYPES_READ = "sample-types:read", "read kinds of samples"
    SAMPLE_TYPES_WRITE = "sample-types:write", "administrators: change kinds of samples"
    SAMPLES_READ = "samples:read", "read samples that you may see"
    SAMPLES_WRITE = "samples:write", "create and change samples of your proposals"
    SCHEDULE_COMPONENTS_READ = "schedule-components:read", "read inspections of schedules"
    SCHEDULE_COMPONENTS_WRITE = (
        "schedule-components:write",
        "administrators: change inspections of schedules",
    )
    SCHEDULES_READ = "schedules:read", "read schedules of inspections"
    SCHEDULES_WRITE = "schedules:write", "administrators: change schedules of inspections"
    SCREEN_COMPONENT_GROUPS_READ = (
        "screen-component-groups:read",
        "read conditions of screens that you may see",
    )
    SCREEN_COMPONENT_GROUPS_WRITE = (
        "screen-component-groups:write",
        "create and change conditions of screens of your proposals",
    )
    SCREEN_COMPONENTS_READ = (
        "screen-components:read",
        "read what conditions of screens hold that you may see",
    )
    SCREEN_COMPONENTS_WRITE = (
        "screen-components:write",
        "say what conditions of screens of your proposals hold",
    )
    SCREENING_INPUTS_READ = (
        "screening-inputs:read",
        "read inputs of screenings of sessions that you may see",
    )
    SCREENING_INPUTS_WRITE = (
        "screening-inputs:write",
        "record inputs of screenings in sessions that you may write in",
    )
    SCREENING_OUTPUT_LATTICES_READ = (
        "screening-output-lattices:read",
        "read lattices that screenings found of sessions that you may see",
    )
    SCREENING_OUTPUT_LATTICES_WRITE = (
        "screening-output-lattices:write",
        "record lattices that screenings found in sessions that you may write in",
    )
    SCREENING_OUTPUTS_READ = (
        "screening-outputs:read",
        "read results of screenings of sessions that you may see",
    )
    SCREENING_OUTPUTS_WRITE = (
        "screening-outputs:write",
        "record results of screenings in sessions that you may write in",
    )
    SCREENING_RANK_SETS_READ = (
        "screening-rank-sets:read",
        "read rankings of screenings of sessions that you may see",
    )
    SCREENING_RANK_SETS_WRITE = (
        "screening-rank-sets:write",
        "record rankings of screenings in sessions that you may write in",
    )
    SCREENING_RANKS_READ = (
        "screening-ranks:read",
        "read places of screenings in rankings of sessions that you may see",
    )
    SCREENING_RANKS_WRITE = (
        "screening-ranks:write",
        "record places of screenings in rankings in sessions that you may write in",
    )
    SCREENING_STRATEGIES_READ = (
        "screening-strategies:read",
        "read strategies that screenings propose of sessions that you may see",
    )
    SCREENING_STRATEGIES_WRITE = (
        "screening-strategies:write",
        "record strategies that screenings propose in sessions that you may write in",
    )
    SCREENING_STRATEGY_SUB_WEDGES_READ = (
        "screening-strategy-sub-wedges:read",
        "read sub-wedges of screening strategies of sessions that you may see",
    )
    SCREENING_STRATEGY_SUB_WEDGES_WRITE = (
        "screening-strategy-sub-wedges:write",
        "record sub-wedges of screening strategies in sessions that you may write in",
    )
    SCREENING_STRATEGY_WEDGES_READ = (
        "screening-strategy-wedges:read",
        "read wedges of screening strategies of sessions that you may see",
    )
    SCREENING_STRATEGY_WEDGES_WRITE = (
        "screening-strategy-wedges:write",
        "record wedges of screening strategies in sessions that you may write in",
    )
    SCREENINGS_READ = "screenings:read", "read screenings of sessions that you may see"
    SCREENINGS_WRITE = "screenings:write", "record screenings in sessions that you may write in"
    SCREENS_READ = "screens:read", "read crystallisation screens that you may see"
    SCREENS_WRITE = (
        "screens:write",
        "create and change crystallisation screens of your proposals",
    )
    SESSION_PEOPLE_READ = "session-people:read", "read who takes part in sessions that you may see"
    SESSION_PEOPLE_WRITE = (
        "session-people:write",
        "say who takes part in sessions that you lead, or who looks after those of your beamlines",
    )
    SESSIONS_READ = "sessions:read", "read sessions that you may see"
    SESSIONS_WRITE = "sessions:write", "change sessions of your proposals; create them as staff"
    SHIPPINGS_READ = "shippings:read", "read shipments that you may see"
    SHIPPINGS_WRITE = "shippings:write", "create and change shipments of your proposals"
    SPACE_GROUPS_READ = "space-groups:read", "read space groups"
    SPACE_GROUPS_WRITE = "space-groups:write", "administrators: change space groups"
    STRUCTURES_READ = "structures:read", "read known structures of proteins that you may see"
    STRUCTURES_WRITE = (
        "structures:write",
        "create and change known structures of proteins of your proposals",
    )
    SUB_SAMPLES_READ = "sub-samples:read", "read places on samples that you may see"
    SUB_SAMPLES_WRITE = "sub-samples:write", "create and change places on samples of your proposals"
    SUBSTRUCTURE_DETERMINATIONS_READ = (
        "substructure-determinations:read",
        "read substructures that were found, of collections that you may see",
    )
    SUBSTRUCTURE_DETERMINATIONS_WRITE = (
        "substructure-determinations:write",
        "staff: record substructures that were found in sessions on your beamlines",
    )
    SYNC_WRITE = (
        "sync:write",
        "bring proposals, people, memberships and sessions to what the user office says",
    )
    TILT_ALIGNMENTS_READ = (
        "tilt-alignments:read",
        "read alignments of tilt series of sessions that you may see",
    )
    TILT_ALIGNMENTS_WRITE = (
        "tilt-alignments:write",
        "record alignments of tilt series in sessions that you may write in",
    )
    TOMOGRAMS_READ = "tomograms:read", "read tomograms of sessions that you may see"
    TOMOGRAMS_WRITE = "tomograms:write", "record tomograms in sessions that you may write in"
    USER_GROUP_PEOPLE_READ = "user-group-people:read", "administrators: read who is in which group"
    USER_GROUP_PEOPLE_WRITE = (
        "user-group-people:write",
        "administrators: put people into groups, and take them out",
    )
    USER_GROUP_PERMISSIONS_READ = (
        "user-group-permissions:read",
        "administrators: read which of ISPyB's own permissions a group has",
    )
    USER_GROUP_PERMISSIONS_WRITE = (
        "user-group-permissions:write",
        "administrators: give groups ISPyB's own permissions, and take them away",
    )
    USER_GROUPS_READ = "user-groups:read", "administrators: read groups"
    USER_GROUPS_WRITE = "user-groups:write", "administrators: make, rename and delete groups"
    WORKFLOW_MESHES_READ = (
        "workflow-meshes:read",
        "read what mesh scans of workflows found, of sessions that you may see",
    )
    WORKFLOW_MESHES_WRITE = (
        "workflow-meshes:write",
        "record what mesh scans of workflows found in sessions that you may write in",
    )
    WORKFLOW_STEPS_READ = (
        "workflow-steps:read",
        "read steps of workflows of sessions that you may see",
    )
    WORKFLOW_STEPS_WRITE = (
        "workflow-steps:write",
        "record steps of workflows in sessions that you may write in",
    )
    WORKFLOWS_READ = "workflows:read", "read workflows of sessions that you may see"
    WORKFLOWS_WRITE = "workflows:write", "record workflows in sessions that you may write in"
    XFE_SPECTRA_READ = "xfe-spectra:read", "read fluorescence spectra of sessions that you may see"
    XFE_SPECTRA_WRITE = (
        "xfe-spectra:write",
        "record fluorescence spectra in sessions that you may write in",
    )
    XRAY_CENTRING_RESULTS_READ = (
        "xray-centring-results:read",
        "read results of X-ray centrings of sessions that you may see",
    )
    XRAY_CENTRING_RESULTS_WRITE = (
        "xray-centring-results:write",
        "record results of X-ray centrings in sessions that you may write in",
    )
    XRAY_CENTRINGS_READ = "xray-centrings:read", "read X-ray centrings of sessions that you may see"
    XRAY_CENTRINGS_WRITE = (
        "xray-centrings:write",
        "record X-ray centrings in sessions that you may write in",
    )
