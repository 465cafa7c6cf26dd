"""The engine: what a flow is and how it is compiled and run. It knows no particular step or decorator."""
