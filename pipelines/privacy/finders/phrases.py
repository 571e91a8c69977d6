"""Nicknames that are phrases ("Sad in Ohio", "Anna Roe of Berlin"), and the words in them that may name the person."""

from __future__ import annotations

import re
from typing import NamedTuple

from pipelines.privacy.finders.words import COMMON

# Words that only a phrase has between its first word and its last, by what follows them: a place as a rule, what a
# person has or lacks, or anything.
_OF_PLACES = frozenset({"in", "from", "at", "on", "aus", "im", "am", "en", "dans", "из", "v"})
_OF_STATES = frozenset({"with", "without", "mit", "ohne", "avec", "sans", "con", "sin", "с", "без"})
_OF_PHRASES = _OF_PLACES | _OF_STATES | {"of", "for", "my", "to", "für", "pour", "para", "для"}

_ENGLISH = """
a about after again all almost alone already also always am an and another any anybody anyone anything are around away
back bad bark become been before behind being believer better beyond big body both bored born boy break breath
broken brother but by calm can cancer cant caregiver caring chair change chaos child children chronic chronically city
cold comfort confused couple cry crying cure curious cured dad daddy dark darkness daughter day days depressed
depression desperate despair did different disorder doctor done doubt down dream dreamer dreams dying each easy
empty end enough even ever every everybody everyone everything exhausted eye eyes family fan far father fear feeling few
fibro fibromyalgia fighter fighting finally find fine first flight follower food found four free freedom friend friends
from full fun future garden getting girl girlfriend gone good got grandma grandmother grandpa grateful grief guest half
hand hands happiness happy hard has have head healed healing health healthy heart hell help helped hers here home
hopeful hopeless hoping house how human hurt hurting husband if interested is it its job journey just kid kids kind know
last later laughter learning left less life light like limit little living local lonely long longing look looking losing
loss lost lots love lover loves luck lucky mad man many me meaning medicine member men migraine migraines mind mine
miracle miserable mom moment mommy money month months more morning most mother much mum mummy music nature near need
needing nerve nervous never new next night no nobody none not nothing now nurse off ok okay old once one only open other
others ourselves out over own pain painful panic parent partner past patient people person place please poor post
present problem proud ptsd question questions quiet quite reader ready real really recovered recovering recovery relief
rest retired ride right road sad safe same saved scared sea search searching second seeker seeking self shadow she sick
silence silent since single sister sleep sleepless sober so some somebody someone something son sorry soul space spirit
stay still stranger stress strength strong stronger struggle struggling student stuck success suffer sufferer suffering
sun support sure survived surviving survivor tears ten thank thankful thanks that the them then there these they thing
things thinking this thoughts three thriving through time tired to today together tomorrow too touch town treatment
tried trouble true trust try trying two under understanding unknown until up user very view visitor voice waiting walk
want wanting warrior was watching water way we weary week weeks well went what when where whole who why wife win winning
wish with woman women wondering words work world worried worrier worry year years yes yet you your yourself young youth
anxiety anxious worn survive five six hour hours anonymous afraid aching agitated angry annoyed ashamed awake aware
baffled beaten bewildered bitter bleak blessed blind blue burned burnt busy cautious clueless concerned content crazy
crushed cynical dazed defeated dejected depleted determined devastated disabled disappointed discouraged distressed
dizzy doubtful drained drowning eager embarrassed excited faithful fed floating foggy fragile frazzled frightened
frustrated gloomy guilty heartbroken helpless homeless homesick hungry hopefully impatient insomniac intrigued isolated
jaded joyful languishing lethargic listening loving lurker lurking medicated melancholy mindful mourning
mystified nauseous newbie numb nutty optimistic overwhelmed paralyzed peaceful perplexed pessimistic petrified pleased
pondering praying puzzled questioning reading restless resilient rested running scarred sensitive shaken shaky shattered
shy sceptical skeptical sleeping sleepy smiling sore spinning stable stressed stunned sufferers tense terrified torn
traumatized treated troubled unhappy unsure unwell upset veteran wandering wanderer warm wary widow widower wired
wishing wistful withdrawn wounded writer yearning zombie teacher therapist ketamine ketamin esketamine spravato infusion
infusions lupus remission bipolar suicidal therapy meds medication mom's grandson granddaughter grandparent uncle aunt
cousin mummy's hubby spouse neighbor neighbour resident native
"""
_GERMAN = """
aber alle allein alles als alt alter angst anfang anonym arzt auch auf bald bei besser bin bist bitte da danke das dass
dem den der des die doch du dunkel dunkelheit ein eine einem einen einer einfach ende endlich er es etwas familie ferne
frage fragen frau frei freiheit freund freunde freundin für ganz gast gefühl geduld gesund gesundheit glück glücklich
gut haben halb hat haus heilung heimat hause herz hier hilfe hoffnung hoffend ich ihr ist ja jahr jahre jeder jemand
kind kinder kopf krank krankheit land leben leidend leser leserin licht liebe lieber mama mann mehr mein meine
mensch menschen migräne mit müde mutter mutti nach nacht neu nicht nichts nie niemand noch nur oder oma ohne opa papa
patient patientin ruhe schlaf schlaflos schlaflose schmerz schmerzen schmerzpatient schmerzpatientin schon schwester
sehr sein seit sich sie so sohn sorge sorgen stille tag tage tochter traum traurig traurige trost über und uns
unterwegs vater verloren verzweifelt verzweifelte viel viele von vorbei warten wartend weg weit welt wer wie wieder
worte zeit zu zuhause zukunft zuversicht zwei
"""
_ROMANCE = """
ami amie amour ans après aucun aussi avec beaucoup bien bonheur cœur coeur courage crainte dame dans des deux docteur
douleur douleurs elle encore enfant enfants espoir est et être famille femme fille fils foi force guérison heureuse
heureux homme il je jour jours la le les lectrice lecteur liberté lumière maladie malade maman mère merci mes
migraine moi mon monde monsieur madame mort nom non nous nuit oui paix papa pas patient patiente père perdu perdue
petite peur plus pour quelqu rien sans seul seule sœur sommeil souffrance souvenir temps toujours tous toute triste trop
un une vie ville vivre abuela abuelo adiós algo alguien alma amiga amigo amor ansiedad años ayuda buena bueno cabeza
cansada cansado casa cielo corazón cura día días dios dolor dormir dos enferma enfermo enfermedad esposa esposo feliz
fuerza gracias hermana hermano hija hijo hijos hombre lector lectora los loca loco lucha luchadora luchador madre mamá
mejor mente miedo mi mis muerte mujer mundo nada nadie noche nombre otra otro paciente padre papá perdida perdido
persona por rumbo señor señora siempre sola solo sueño suerte todo todos tres una uno vida vivir voz
"""
_SLAVIC = """
больная больно больной боли боль брат без бессонница бог болезнь бывшая в все всё врач вместе вопрос время всегда где
год гость девочка девушка день депрессия дети для доктор дом домой дочь друг друзья душа ещё жена женщина жизнь здоровье
и из имени имя как кто любви люди мальчик мама мамы мать мечта мигрень мир многих мой моя муж мужчина на надежды не
никто ночь одиночка одна один она он отец опять пациент пациентка папа подруга покой помощь просто радость семья сердце
сестра сила сил сна сон сына сын счастье только ты тревога тревоги уставшая усталая усталость усталый устал хочу человек
читатель читательница что я bez bolest bolesti život zdraví hledám jedna jeden já jsem máma maminka matka muž
někdo otec paní pacient pacientka pán smutná spánek táta unavená unavený úzkost žena člověk čtenář čtenářka světa
"""
# Words of nicknames that name nobody: function words, relatives, states of body and mind. General knowledge: where a
# word is missing here, too much is masked in the threads of that nickname.
_ORDINARY = frozenset(" ".join((_ENGLISH, _GERMAN, _ROMANCE, _SLAVIC)).split()) | _OF_PHRASES
# Signs around a word, as in '"Anna'.
_AROUND = re.compile(r"^\W+|\W+$")


class Phrase(NamedTuple):
    """What a nickname says of its person; the words are those that may name somebody alone."""

    start: str | None  # the words before the preposition, if there are several that are masked together
    tells: bool  # whether one of these is certainly no common word
    before: tuple[str, ...]
    after: tuple[str, ...]


def is_phrase(whole: str) -> bool:
    """Return whether a name is made of words with a preposition among them: a nickname such as "Sad in Ohio"."""
    return not _OF_PHRASES.isdisjoint(whole.split()[1:-1])


def is_ordinary(word: str) -> bool:
    """Return whether a word of a nickname names nobody, as far as is known: "Lost", "Mother"."""
    return word.lower() in _ORDINARY or not any(map(str.isalpha, word))


def read_phrase(whole: str) -> Phrase:
    """Return what may be masked of a name that `is_phrase`.

    "Anna Roe of Berlin" is "Anna Roe", and each of its other words; "Sarah in Texas" is "Sarah", as a place is nobody.
    A nickname that has no capital at all does not tell a place from a name ("kim in ho"): its place counts as a name
    where the word before it is one.
    """
    words = whole.split()
    first = next(index for index, word in enumerate(words[1:-1], 1) if word in _OF_PHRASES)
    start = [_AROUND.sub("", word) for word in words[:first]]
    tells = any(not is_ordinary(word) and word.lower() not in COMMON for word in start)
    before = [word for word in start if not is_ordinary(word) or (tells and word.lower() in COMMON)]
    keeps_places = not (tells and whole.islower())
    after, preposition = [], ""
    for word in words[first:]:
        if word in _OF_PHRASES:
            preposition = word
            continue
        is_place = preposition in _OF_PLACES and keeps_places
        is_short_form = preposition in _OF_STATES and word.isupper()  # of an illness: "Mum with MS"
        bare = _AROUND.sub("", word)
        if not (is_place or is_short_form or is_ordinary(bare) or bare.lower() in COMMON):
            after.append(bare)
    is_whole = len(start) > 1 and (tells or len(before) == len(start))
    return Phrase(" ".join(words[:first]) if is_whole else None, tells, tuple(before), tuple(after))
