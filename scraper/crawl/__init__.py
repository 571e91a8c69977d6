"""What a visit to one clinic asks for, and in which order: pure plans, without a network or a database."""
