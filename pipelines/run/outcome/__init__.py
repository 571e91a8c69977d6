"""The result of a visit: what it counted, the fields that its posts gave, and the judgement of both."""
