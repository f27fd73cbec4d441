"""One file a version, `rNNNN_what.py`."""
