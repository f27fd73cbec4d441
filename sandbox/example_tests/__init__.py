"""What `intyg init-tests` writes: files that a project begins with. Nothing here is imported."""
