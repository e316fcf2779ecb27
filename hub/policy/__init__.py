"""May they: the rules who may see what, as reviewed Cedar text, and the projector that builds what they may see."""
