"""The second evaluator: asteval's way of walking the tree, hardened; the reference of the differential tests."""
