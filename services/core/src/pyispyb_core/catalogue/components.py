"""What samples and crystals are made of: components, and how much of each."""

from pyispyb_chassis.nouns.noun import READS, Noun
from pyispyb_chassis.permissions import Permission
from pyispyb_core.rules import Level

components = Noun(
    table="Component",
    path="components",
    area="samples",
    doc="A substance that a proposal's samples are made of, besides its proteins",
    level=Level.PROPOSAL,
    belongs_to=("proposalId",),
    read=Permission.COMPONENTS_READ,
    write=Permission.COMPONENTS_WRITE,
    writable=("proposalId", "componentTypeId", "name", "composition"),
    includes=("Proposal", "ComponentType"),
    search=("name", "composition"),
    sort="-componentId",
)

protein_components = Noun(
    table="Protein_has_Component",
    path="protein-components",
    area="samples",
    doc="That a protein comes with a component",
    level=Level.PROPOSAL,
    belongs_to=("proteinId",),
    read=Permission.PROTEIN_COMPONENTS_READ,
    write=Permission.PROTEIN_COMPONENTS_WRITE,
    writable=("proteinId", "componentId"),
    includes=("Protein", "Component"),
    sort="-proteinHasComponentId",
)

component_lattices = Noun(
    table="ComponentLattice",
    path="component-lattices",
    area="samples",
    doc="A space group and cell that a protein is known to crystallise in",
    level=Level.PROPOSAL,
    belongs_to=("componentId",),
    read=Permission.COMPONENT_LATTICES_READ,
    write=Permission.COMPONENT_LATTICES_WRITE,
    writable=(
        "componentId", "spaceGroup", "cell_a", "cell_b", "cell_c", "cell_alpha", "cell_beta",
        "cell_gamma",
    ),
    includes=("Protein",),
    search=("spaceGroup",),
    sort="-componentLatticeId",
    units={
        "cell_a": "Å", "cell_b": "Å", "cell_c": "Å",
        "cell_alpha": "°", "cell_beta": "°", "cell_gamma": "°",
    },
)  # fmt: skip

sample_compositions = Noun(
    table="SampleComposition",
    path="sample-compositions",
    area="samples",
    doc="How much of a component a sample holds",
    level=Level.PROPOSAL,
    belongs_to=("blSampleId",),
    read=Permission.SAMPLE_COMPOSITIONS_READ,
    write=Permission.SAMPLE_COMPOSITIONS_WRITE,
    writable=("blSampleId", "componentId", "concentrationTypeId", "abundance", "ratio", "pH"),
    includes=("BLSample", "Component", "ConcentrationType"),
    sort="-sampleCompositionId",
)

crystal_compositions = Noun(
    table="CrystalComposition",
    path="crystal-compositions",
    area="samples",
    doc="How much of a component a crystal was grown with",
    level=Level.PROPOSAL,
    belongs_to=("crystalId",),
    read=Permission.CRYSTAL_COMPOSITIONS_READ,
    write=Permission.CRYSTAL_COMPOSITIONS_WRITE,
    writable=("crystalId", "componentId", "concentrationTypeId", "abundance", "ratio", "pH"),
    includes=("Crystal", "Component", "ConcentrationType"),
    sort="-crystalCompositionId",
)

structures = Noun(
    table="PDB",
    path="structures",
    area="samples",
    doc="A known or predicted structure: a code of the Protein Data Bank, or a model's text",
    level=Level.PROPOSAL,
    named_by=("protein-structures.pdbid", "ligand-structures.pdbId"),
    read=Permission.STRUCTURES_READ,
    write=Permission.STRUCTURES_WRITE,
    writable=("name", "code", "source", "contents"),
    includes=("Protein_has_PDB", "Ligand_has_PDB"),
    search=("name", "code"),
    sort="-pdbId",
    patterns={"code": r"[0-9A-Za-z]{4}"},
)

protein_structures = Noun(
    table="Protein_has_PDB",
    path="protein-structures",
    area="samples",
    doc="That a structure is known of a protein",
    level=Level.PROPOSAL,
    belongs_to=("proteinid",),
    read=Permission.PROTEIN_STRUCTURES_READ,
    write=Permission.PROTEIN_STRUCTURES_WRITE,
    writable=("proteinid", "pdbid"),
    includes=("Protein", "PDB"),
    sort="-proteinhaspdbid",
)

ligand_structures = Noun(
    table="Ligand_has_PDB",
    path="ligand-structures",
    singular="structure of this ligand",
    area="samples",
    doc="That a structure is known of a ligand",
    level=Level.PROPOSAL,
    within="ligandId",
    segment="structures",
    key="pdbId",
    belongs_to=("ligandId",),
    read=Permission.LIGANDS_READ,
    write=Permission.LIGANDS_WRITE,
    actions=(*READS, "create", "delete"),
    writable=("ligandId", "pdbId"),
    includes=("Ligand", "PDB"),
    sort="pdbId",
)

sample_ligands = Noun(
    table="BLSample_has_Ligand",
    path="sample-ligands",
    singular="ligand of this sample",
    area="samples",
    doc="That a sample was soaked or grown with a ligand",
    level=Level.PROPOSAL,
    within="blSampleId",
    segment="ligands",
    key="ligandId",
    belongs_to=("blSampleId",),
    read=Permission.LIGANDS_READ,
    write=Permission.LIGANDS_WRITE,
    actions=(*READS, "create", "delete"),
    writable=("blSampleId", "ligandId"),
    includes=("BLSample", "Ligand"),
    sort="ligandId",
)

protein_sub_types = Noun(
    table="Component_has_SubType",
    path="protein-sub-types",
    singular="sub-type of this protein",
    area="samples",
    doc="That a protein or other compound is of a finer kind of component",
    level=Level.PROPOSAL,
    within="componentId",
    segment="sub-types",
    key="componentSubTypeId",
    belongs_to=("componentId",),
    read=Permission.PROTEINS_READ,
    write=Permission.PROTEINS_WRITE,
    actions=(*READS, "create", "delete"),
    writable=("componentId", "componentSubTypeId"),
    includes=("Protein", "ComponentSubType"),
    sort="componentSubTypeId",
)

NOUNS = (
    components,
    protein_components,
    component_lattices,
    sample_compositions,
    crystal_compositions,
    structures,
    protein_structures,
    ligand_structures,
    sample_ligands,
    protein_sub_types,
)
