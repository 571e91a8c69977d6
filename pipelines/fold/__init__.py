"""The fold: makes rows of the events of a clinic's log, after the captures of a thread or of a long post are joined."""
