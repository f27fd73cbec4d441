"""
The control interface: what has become of a certificate, and marking questions as handled.

Nothing is imported here: commands use the views without the rest.
"""
