"""Speed, as ratios in CPU seconds within one run: `python -m tests.bench`, or `--only ID`.

A figure is one function with the decorator `figure` in a module of this package; it is found by importing them all.
Modules that begin with an underscore hold what the figures stand on: pages, a server, the process that crawls it.
"""
