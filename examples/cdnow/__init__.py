"""The CDNOW purchase log as a project."""
