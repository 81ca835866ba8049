"""What is sent: shipments, the dewars in them, the containers in those."""

from pyispyb_chassis.nouns.noun import READS, Noun
from pyispyb_chassis.permissions import Permission
from pyispyb_core.rules import Level
from pyispyb_core.settings import NAME_IN_PATHS

shippings = Noun(
    table="Shipping",
    path="shippings",
    area="shipping",
    doc="A shipment of dewars between a home laboratory and the facility",
    level=Level.PROPOSAL,
    belongs_to=("proposalId",),
    read=Permission.SHIPPINGS_READ,
    write=Permission.SHIPPINGS_WRITE,
    writable=(
        "proposalId", "shippingName", "shippingStatus", "shippingType", "comments", "SAFETYLEVEL",
        "sendingLabContactId", "returnLabContactId", "returnCourier", "deliveryAgent_agentName",
        "deliveryAgent_agentCode", "deliveryAgent_flightCode", "deliveryAgent_shippingDate",
        "deliveryAgent_deliveryDate", "dateOfShippingToUser", "isStorageShipping", "readyByTime",
        "closeTime", "physicalLocation",
    ),
    required=("shippingName",),
    includes=("Proposal", "sendingLabContact", "returnLabContact", "Dewar"),
    search=("shippingName",),
    sort="-creationDate",
    stamps={"creationDate": "create", "bltimeStamp": "write"},
)  # fmt: skip

dewars = Noun(
    table="Dewar",
    path="dewars",
    area="shipping",
    doc="A dewar, toolbox or parcel of a shipment",
    level=Level.PROPOSAL,
    belongs_to=("shippingId",),
    read=Permission.DEWARS_READ,
    write=Permission.DEWARS_WRITE,
    writable=(
        "shippingId", "type", "code", "comments", "storageLocation", "dewarStatus",
        "isStorageDewar", "barCode", "firstExperimentId", "customsValue", "transportValue",
        "facilityCode", "dewarRegistryId", "weight",
        "trackingNumberToSynchrotron", "trackingNumberFromSynchrotron", "deliveryAgent_barcode",
    ),
    required=("code",),
    shared=("dewarRegistryId",),
    includes=("Shipping", "BLSession", "Container", "DewarRegistry"),
    search=("code", "barCode", "facilityCode"),
    sort="-dewarId",
    stamps={"bltimeStamp": "write"},
    units={"weight": "kg"},
)  # fmt: skip

containers = Noun(
    table="Container",
    path="containers",
    area="shipping",
    doc="A puck, plate or box that holds samples",
    level=Level.PROPOSAL,
    belongs_to=("dewarId", "sessionId"),
    read=Permission.CONTAINERS_READ,
    write=Permission.CONTAINERS_WRITE,
    writable=(
        "dewarId", "sessionId", "code", "containerType", "capacity", "sampleChangerLocation",
        "containerStatus", "beamlineLocation", "barcode", "comments", "experimentType",
        "storageTemperature", "requestedReturn", "currentDewarId", "parentContainerId",
        "parentContainerLocation", "imagerId", "requestedImagerId", "priorityPipelineId",
        "screenId",
    ),
    required=("code",),
    includes=(
        "dewar", "BLSession", "BLSample", "imager", "requestedImager", "ProcessingPipeline",
        "Screen",
    ),
    search=("code", "barcode"),
    sort="-containerId",
    # ISPyB's own default points to a ProcessingPipeline that most databases do not have.
    defaults={"priorityPipelineId": None},
    stamps={"bltimeStamp": "write"},
    units={"storageTemperature": "°C"},
    patterns={"code": NAME_IN_PATHS},
)  # fmt: skip

transport_history = Noun(
    table="DewarTransportHistory",
    path="dewar-transport-history",
    area="shipping",
    doc="Where a dewar was, and in which state: one line for each time it was seen",
    level=Level.PROPOSAL,
    belongs_to=("dewarId",),
    read=Permission.DEWAR_TRANSPORT_HISTORY_READ,
    write=Permission.DEWAR_TRANSPORT_HISTORY_WRITE,
    actions=(*READS, "create"),
    writable=("dewarId", "dewarStatus", "storageLocation", "arrivalDate"),
    includes=("Dewar",),
    search=("storageLocation", "dewarStatus"),
    sort="-DewarTransportHistoryId",
)

container_history = Noun(
    table="ContainerHistory",
    path="container-history",
    area="shipping",
    doc="Where a container was, and in which state: one line for each time it was seen",
    level=Level.PROPOSAL,
    belongs_to=("containerId",),
    read=Permission.CONTAINER_HISTORY_READ,
    write=Permission.CONTAINER_HISTORY_WRITE,
    actions=(*READS, "create"),
    writable=("containerId", "location", "status", "beamlineName", "currentDewarId"),
    includes=("Container", "Dewar"),
    search=("location", "status"),
    sort="-containerHistoryId",
    stamps={"blTimeStamp": "create"},
)

container_queue = Noun(
    table="ContainerQueue",
    path="container-queue",
    singular="place in the queue",
    area="shipping",
    doc="A container that waits to be measured, until it is completed or taken out",
    level=Level.PROPOSAL,
    belongs_to=("containerId",),
    read=Permission.CONTAINER_QUEUE_READ,
    write=Permission.CONTAINER_QUEUE_WRITE,
    writable=("containerId", "completedTimeStamp"),
    includes=("Container", "ContainerQueueSample"),
    sort="createdTimeStamp",
    owns=("ContainerQueueSample",),
    stamps={"createdTimeStamp": "create"},
)

container_queue_samples = Noun(
    table="ContainerQueueSample",
    path="container-queue-samples",
    singular="queued sample",
    area="shipping",
    doc="What is to be measured of a container in the queue, and how far it is",
    level=Level.PROPOSAL,
    belongs_to=("containerQueueId",),
    read=Permission.CONTAINER_QUEUE_SAMPLES_READ,
    write=Permission.CONTAINER_QUEUE_SAMPLES_WRITE,
    writable=(
        "containerQueueId", "blSampleId", "blSubSampleId", "dataCollectionPlanId", "status",
        "startTime", "endTime",
    ),
    includes=("ContainerQueue", "BLSample", "BLSubSample"),
    search=("status",),
    sort="-containerQueueSampleId",
)  # fmt: skip

NOUNS = (
    shippings,
    dewars,
    containers,
    transport_history,
    container_history,
    container_queue,
    container_queue_samples,
)
