"""A serial experiment that never was: its images, and a beamline that records them."""
