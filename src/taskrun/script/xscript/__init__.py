"""XScript: the JavaScript-like dialect, translated to the tree that the evaluators of Python run."""
