"""Claims: sentences that match a rule of a lexicon. Rules are data; a match says "matches rule", never "false".

words       a sentence as words, with the place of each
patterns    the language of patterns: linear in the length of a sentence
rules       a lexicon read from TOML, and what is wrong with it
cues        words that deny, report or ask
engine      the matches of the sentences of a text
check       a lexicon run on its own examples
tables      the tables, and the triggers that delete derived rows
store       rules and matches as rows
"""
