"""Names that are also words: written small they are the word, and only some places tell them apart when written large.

The list holds names of people that are common words in one of the languages of the texts: virtues, months, plants,
colours, verbs. It is general knowledge, and need not be complete: a name that is missing here is masked in any case.
"""

from __future__ import annotations

_ENGLISH = """
will mark rose hope may grace joy faith bill sky skye sunny jean jack art pat frank grant dawn daisy lily ivy iris
violet april june august summer autumn ray rich drew chase chance hunter mason cooper page paige gene dean earl duke
prince king major miles penny patience prudence constance charity clement christian guy harry herb ian jade amber ruby
pearl opal crystal coral olive heather holly hazel ginger basil sage rosemary bay brook brooke river robin jay wren
martin dale glen heath cliff clay stone rock wood woods field fields hill hall brown green white black gray grey
young long short strong small little bright sharp wise noble swift west north cross church bishop pope abbot cook
baker butler carter gardener shepherd smith taylor turner walker ward page price money cash bond sterling case
wade rob nick sue don dot bob buck bud buddy chip chuck curt dick duncan rusty skip stew tom trip victor wolf fox
lamb bird swan drake finch star stella luna angel heaven eden paris london chelsea georgia carol melody harmony
viola aria tiffany destiny trinity mercy honor honour verity felicity blessing happy merry gay blaze ash aspen forest
storm rain snow winter winters frost day weeks weekes moon sunday friday max min best good love loving darling
dear early else ever even hand head foot lane street banks marsh poole waters wells rivers lake ford bridge bridges
park parks best rush speed barber mays lay ball bell bush card cage crane fish flower flowers gale garland holiday
jewel lance lane law means mills moody newman nice paradise peace pride rice root rule savage singer sparks
stern terry trace tripp trout vale vance wall ways weed weight wild
"""
_GERMAN = """
ernst rosa mai wolf sommer winter weiß weiss schwarz braun klein groß gross lang kurz jung alt frank stark kühn
mut glaube liebe treu sanft engel stern sonne viola iris jasmin erika heide veilchen linde sieg lenz herbst frühling
montag sonntag könig kaiser fürst graf herzog richter müller schneider fischer weber wagner becker schäfer koch bauer
vogel fuchs hahn hase bär lamm berg tal bach see stein feld wald busch baum blume roth rot grün blau gold silber
kraft ritter reich reiter hirsch kluge wunder bock voll fromm recht gut schön froh lustig selig klar rein
"""
_ROMANCE = """
sol luz dolores mercedes consuelo pilar soledad esperanza fe caridad gracia paz rosa flor margarita violeta azucena
blanca clara alba aurora estrella luna mar marina rocío nieves remedios socorro amparo milagros rosario cruz ángel
león lobo rubio moreno delgado bravo franco justo cándido plácido fortunato prudencia inocencia constanza amado
calvo pastor herrero zapatero torres ríos campos flores iglesias montes
claire rose pierre olivier aimé aimée prudence constance clémence france aurore marguerite violette capucine
jasmin blanche reine ange noël pascal désiré fleur océane marine perle ambre victoire espérance juste parfait
prosper bonnet petit legrand grand leroy roy blanc noir rousseau roux moreau boucher berger fournier
chiara rosa bianca viola gioia fiore luna stella bruna serena felice costante
luz vitória glória graça conceição rosa flor serra rocha pinto
"""
_SLAVIC = """
svoboda milan veselý veselá růžena jasný jasná květa naděje víra láska krásný krásná novák nový nová černý černá
bílý bílá malý malá velký velká dlouhý dlouhá krátký krátká tichý tichá hlavatý hlavatá zelený zelená král
zeman kovář beran holub sokol vrána kohout jaroslava jitka vesna jahoda slunce smutný pokorný šťastný
вера надежда любовь роман лев слава роза лилия виктория мир марк милена светлана воля рая майя октябрина ясна злата
белый белая черный чёрный черная чёрная крупный новиков волк заяц медведь соловей мороз зима весна лето
"""
_HEBREW = """
אור טל שיר נועם רון גל ים חן עדי שחר ליאור דרור אורן אלון תמר הדס ורד יסמין שושנה רות גיל גילה שמחה שלום ברכה תקווה
אמונה חיים ניר נוף דגן אביב סתיו חורב כרמל גיא עמית רעות ידידיה נצח זוהר הילה קרן שקד ארז ברק רעם סער טוב טובה יפה
נעים נעימה חסד עוז עז אריה זאב צבי דוב יונה דבורה רחל לביא כפיר נחל מעין שיא פז אופיר כוכב כוכבית לילך מור רז סוד
רם גאיה טליה שני יקיר יקירה חביב אהובה מלכה שרה
"""
COMMON = frozenset(" ".join((_ENGLISH, _GERMAN, _ROMANCE, _SLAVIC, _HEBREW)).split())

# Given names that are the first half of a double name ("Jo-Ann", "Hans-Peter"), and those that are the second.
_FIRST = """
anna anne ann annie eva maria marie mary jo billie bobbie betty lee sarah karla karl carl hans heinz klaus claus franz
fritz ernst jean jan josé jose juan luis lisa lena rosa rose eve emma ella eliza ana luise louise peter paul pierre
john jon jim joe bobby billy ulla inga inge elke uta ute heide hanna hanne анна мария ева жан
"""
_SECOND = """
ann anne anna annie marie maria mary beth lynn lynne lou louise luise jane jo ellen kate katrin kathrin katharina
sophie sofie lena elena magdalena theresa therese teresa helene hélène christine christin cristina isabel isabell
isabelle elisabeth elizabeth caroline carolin karin lotte charlotte liese sophia susanne josée dominique margaret
peter dieter heinz jürgen joachim jochen werner georg friedrich wilhelm josef joseph ludwig otto uwe michael
christoph christophe christian philipp philippe jacques luc louis marc michel claude yves françois baptiste pierre paul
hubert andré charles carlos carlo manuel pablo luis antonio мария анна жак поль пьер
"""
_FIRST_HALVES, _SECOND_HALVES = frozenset(_FIRST.split()), frozenset(_SECOND.split()) - COMMON

_ARTICLES = "a an ein eine einen einem einer kein keine keinen un una une aucun aucune no"
_BEFORE_TIMES = """
in since until till by last next this every early late mid im seit ab bis vom anfang ende mitte en desde hasta depuis
jusqu'en au of v od do letos в с до к
"""
_TIME = """
april may june august summer autumn winter mai sommer herbst frühling lenz sunday friday montag sonntag август май лето
зима весна
"""
_PRONOUNS = "you he she it we they there this that these those my your his her our their the me him them us"
# An article that makes a noun of the word after it: "a will", "ein Wolf", "un Mercedes".
_INDEFINITE = frozenset(_ARTICLES.split())
# What a month or season follows: "in May", "seit Mai", "this summer".
_TEMPORAL, _TIMES = frozenset(_BEFORE_TIMES.split()), frozenset(_TIME.split())
# What no name is followed by: the verb or adjective at the start of a sentence is ("Will you", "Hope this", "Mark my").
_FOLLOWING = frozenset(_PRONOUNS.split())


def is_other_sense(word: str, before: str, after: str) -> bool:
    """Return whether a word of `COMMON` is not the name of a person, as far as its place tells.

    `before`, `after`: the words next to it in the same sentence, without white space; empty where there is none.
    """
    if word[:1].islower():
        return True
    small, before = word.lower(), before.lower()
    if before in _INDEFINITE or (small in _TIMES and before in _TEMPORAL):
        return True
    return not before and (after == "I" or after.lower() in _FOLLOWING)


def is_double_name(first: str, second: str) -> bool:
    """Return whether two words with a hyphen between them are usual as one given name, as "Jo-Ann" is.

    Words that a sentence may put after a hyphen ("Marisol-You", "Marisol-May") are no second half.
    """
    return first.lower() in _FIRST_HALVES and second.lower() in _SECOND_HALVES
