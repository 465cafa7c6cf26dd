"""decorators/implied."""
