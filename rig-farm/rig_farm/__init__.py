"""A bench that is shared: leased and its far end run where it stands, and what comes of a run there. Of no farm's kind:
rig-labgrid and rig-jumpstarter build on it."""
