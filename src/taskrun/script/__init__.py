"""Scripts and templates. The way in is taskrun.script.script; nothing else here is meant for other packages."""
