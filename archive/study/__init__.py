"""What people give to a study: code books, samples that were drawn for them, and the codings that they return.

The files lie byte for byte in the archive's folder `study/`, each with a part of its SHA-256 in its name. The tables
`codebooks`, `samples` and `codings` are folded from these files, and can be made again from them at any time.
"""
