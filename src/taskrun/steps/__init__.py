"""The step types, one file each. A module's docstring shows the XML, its class's ``run`` says what it means."""
