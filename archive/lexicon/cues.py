"""Words that deny, report or ask, in the language of patterns: for every rule of every lexicon.

After the way of ConText (Harkema and others, Journal of Biomedical Informatics 2009;42(5):839): a cue reaches a few
words to its right, up to a word that ends its reach. `VERSION` is a part of what matches were made with.
"""

from __future__ import annotations

from archive.lexicon.patterns import compiled

VERSION = 1
REACH = 6  # words from a denial to what it denies, at most
REPORT_REACH = 14  # words from the start of a cue to what it reports or denies, at most

_LISTS = {
    "speaker": [
        "(some|many|most|other|several|plenty of|certain|rival|a few|a|one|another|every)",
        "(people|those|they)",
    ],
    "speaking": [
        "say",
        "says",
        "claim",
        "claims",
        "claiming",
        "advertise*",
        "insist*",
        "believe",
        "believes",
        "worry",
        "fear",
        "fears",
        "promise",
        "promises",
        "write",
        "writes",
        "boast*",
        "allege*",
        "assert*",
        "tout*",
        "call it",
        "will tell",
        "tell you",
        "tells you",
        "rave",
        "like to say",
        "love to say",
        "would have you believe",
        "market it",
        "sell it",
    ],
    "spoken": ["said", "claimed", "advertised", "marketed", "touted", "rumoured", "rumored", "alleged"],
}

DENIAL = compiled(
    [
        "no (study|studies|evidence|proof|data|trial|trials|research) ..3 (that|for|of|to|in)",
        "(not|no|never|without|neither|nor|none|nobody|nothing|cannot|hardly|rarely|seldom|dont|doesnt|isnt|wont|cant)",
        "(no one|no longer|far from|instead of|rather than|refuse* to|free of|lack* of|unlikely)",
        "(stop|stopped|quit) (offering|using|giving|prescribing|selling)",
        "(unable to|fails to|failed to|ruled out|against|refer you elsewhere for|except for|but please not)",
    ],
    {},
)
# A denial after what it denies: "infusions are no longer offered".
DENIED_AFTER = compiled(
    ["(is|are|was|were|has been|have been)? ..1 (not|never|no longer) ..1 @unavailable"],
    {
        "unavailable": [
            "available",
            "offered",
            "given",
            "sold",
            "stocked",
            "used",
            "provided",
            "allowed",
            "prescribed",
            "an option",
            "needed",
            "required",
            "treated",
            "on offer",
            "on our list",
            "part of",
        ]
    },
)
# Words that look like a denial of what follows, and deny something else.
NO_DENIAL = compiled(
    [
        "(not|no) (only|just|merely|simply|alone|surprise|wonder|doubt|matter|need|longer than|more than|less than)",
        "(do|did|need) not (hesitate|worry|forget|wait|delay|suffer|let|give up|despair|miss|lose hope)",
        "no other",
        "(not|never|no|nor|neither) ..3 (approv*|licens*|cleared|authoriz*|authoris*|endors*|signed off)",
        "(not|never|no|nor|neither) ..2 (cover*|pay*|paid|reimburs*|fund*|accept*)",
        "(no|zero|without) (any)? (danger|dangers|risk|risks|harm|doubt)",
        "(not|never|no|cannot) ..1 (cure|cures|promise|guarantee|make|erase|eliminate|magic|miracle|quick fix)",
        "not to be confused with",
        "without (cover|coverage|insurance|needles|surgery|a needle)",
        "nothing (else|but|other|short|beats|works)",
        "(not|never) (respond*|improve*|work* for|lift*|get* better|get* relief|enough|alone)",
        "(if|when|that|who|whose|which|because|where|as|since) ..4 (not|never|no) ..2 @failing",
        "(no|zero|without) (side effect*|needles|downtime|waiting|wait|appointment*|referral*|hassle|pills|drips)",
        "without (delay|hesitation|question|leaving|waiting)",
        "(nobody|no one|none) (watching|around|there|by|near|else)",
        "without (supervision|anyone|a doctor|medical)",
        "never (been|before|again|too late)",
    ],
    {"failing": ["help*", "work*", "respond*", "lift*", "stop*", "ease*", "relie*"]},
)
# Where the reach of a cue ends.
BORDER = compiled(
    ["(but|however|although|though|yet|because|whereas|instead|only|just|only that|except that|which is why|so)"], {}
)
# A claim in the mouth of unnamed others.
REPORT = compiled(
    [
        "@speaker ..4 @speaking",
        "(it is|they are|being|been|often|widely|sometimes) @spoken",
        "(allegedly|supposedly|reportedly|rumour*|rumor*|so called)",
        "(claim|claims|rumour*|headline|headlines|advert|adverts|ads|slogan*|promises) (of|that|about|such as|like)",
        "(ask|asks|asked|wonder*|question*|unclear|unknown|debate*|see|know|learn|study|studying|studied) (whether|if)",
        "whether (or not)?",
        "(the|a|our|this) (word|term|phrase|label|slogan|myth) (of)?",
        "(hope|hopes|hoping|hoped|dream*|wait*) (that|for|to)",
        "(you|we) (may|might|will) ..1 (read|hear|have heard|have read)",
    ],
    _LISTS,
)
# A report that is taken back, before what is reported or after it.
TAKEN_BACK = compiled(
    [
        "(anyone|anybody|whoever|those) who (tell*|say*|claim*|promise*|sell*|advertise*)",
        "(not|never) (true|so|believe|be believed|proven|supported|the case|correct|accurate)",
        "(myth|false|untrue|wrong|nonsense|misleading|misconception|exaggerat*|mistaken|incorrect|hype|inaccurate|fiction)",
        "(do not|never) (believe|trust|fall for)",
        "(we|i) have (rarely|never|not) (seen|found|met)",
        "(approved|proved|proven|shown|done|said) no such thing",
        "(not|rather) from (trials|studies|evidence)",
        "(has|have) not read",
        "((nobody|no one) (really)? knows|unknown|unclear|not (yet)? (known|clear|certain|settled))",
        "(remains to be seen|open question)",
        "(avoid|shun|dislike|refuse) the (word|term|phrase|label)",
        "(beware|wary|be careful) of",
    ],
    {},
)
YES = compiled(
    ["(yes|yep|yeah|indeed|certainly|absolutely|of course|definitely|correct|true|sure|it is|it does|they do|we do)"],
    {},
)
NO = compiled(
    ["(no|nope|nah|never|not at all|not really|(unfortunately|sadly|regrettably) not)", "(it is|it does|we do) not"],
    {},
)
# What stands before a treatment that is only compared: "an alternative to opioids".
COMPARED = compiled(
    [
        "(alternative* to|unlike|than|instead of|compared (to|with)|rather than)",
        "(in contrast to|as opposed to|replace*|failed|tried|after)",
    ],
    {},
)
