"""Observers: functions that get the events of a run."""
