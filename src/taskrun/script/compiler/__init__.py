"""The default evaluator: a checked syntax tree becomes one native Python function."""
