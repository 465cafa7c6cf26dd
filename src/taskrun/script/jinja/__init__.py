"""Jinja2 templates under the rules of scripts. Its modules import jinja2, so they are themselves imported on first use."""
