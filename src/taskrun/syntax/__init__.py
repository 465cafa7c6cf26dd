"""Task files as data: from text to a tree in the kernel language. It knows nothing of steps."""
