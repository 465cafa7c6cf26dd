"""The decorators, one file each. ``rank`` is the only rule of order: smaller is nearer to the step."""
