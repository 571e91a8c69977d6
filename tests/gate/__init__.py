"""Archives made by an earlier state of the code, and the rows that a rebuild must give of each; see README.md."""
