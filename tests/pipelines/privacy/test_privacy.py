"""Pseudonyms, and names, e-mail addresses and phone numbers masked in texts."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipelines.privacy.finders.names import name_pattern
from pipelines.privacy.finders.words import COMMON
from pipelines.privacy.masking import MASK, masked
from pipelines.privacy.pseudonyms import pseudonym, pseudonymous
from pipelines.privacy.signatures import signature
from pipelines.privacy.threads import mask_thread
from scraper.items import Author, Comment, Extraction, Names
from tests.making import HEX, OTHER_HEX, comment, extraction, post, url
from tests.scaling import assert_linear

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
HOSTILE = Path(__file__).parents[4] / "shared" / "hostile" / "blns.json"
NAUGHTY = [
    "", " ", "\0", "\ud83d", "\u202eevil", "Z\u0351\u036balgo", "İ", "ß", "ﬁ", "𝔘𝔫𝔦", "👩‍⚕️", "'; DROP TABLE posts;--",
    "a" * 5000,
    "<script>alert(1)</script>", "%s%n{0}${x}", "(((", "[a-", "\\", "*+?", "^$", "(?P<n>", "../../etc", "\u200b", "١٢٣",
]  # fmt: skip


def found(text: str, *names: str) -> str | None:
    return masked(text, name_pattern(names))


class TestPseudonyms:
    @given(st.text(), st.text(min_size=1))
    def test_stable_and_of_one_clinic_and_key_alone(self, clinic: str, person: str) -> None:
        name = pseudonym(KEY, clinic, person)
        assert re.fullmatch(r"reader-[a-z2-7]{12}", name)
        assert pseudonym(KEY, clinic, person) == name
        others = (
            pseudonym(KEY, clinic + "x", person),
            pseudonym(OTHER_KEY, clinic, person),
            pseudonym(KEY, clinic, "0" + person),
        )
        assert name not in others

    def test_clinic_and_person_are_kept_apart(self) -> None:
        assert pseudonym(KEY, "a", "bc") != pseudonym(KEY, "ab", "c")

    @pytest.mark.parametrize("person", [each for each in NAUGHTY if each])
    def test_any_id_has_one(self, person: str) -> None:
        pseudonym(KEY, "riverside", person)

    def test_no_raw_id_or_name_gets_through(self) -> None:
        secret = comment(author="Marisol Vega", person="member:abc-123", author_kind="member")
        raw = extraction(
            1, secret, Author(name="Dr. Ada Roe", person="member:abc-123"),
            Names(names={"member:abc-123": "Marisol Vega"}),
            post(author_person="member:abc-123"),
        )  # fmt: skip
        done = pseudonymous(raw, KEY)
        answer, author, reported, page, own = done.items
        assert isinstance(reported, Names)
        assert isinstance(own, Names)
        key = pseudonym(KEY, "riverside", "member:abc-123")
        assert (answer.author, answer.person, author.person, page.author_person) == (key,) * 4  # type: ignore[union-attr]
        assert dict(reported.names) == {key: "Marisol Vega"}
        assert "abc-123" not in repr(done) + "".join(map(str, reported.names)) + "".join(map(str, own.names))
        assert "Marisol" not in repr(done)

    def test_a_display_name_alone_is_nobodys(self) -> None:
        (answer, _) = pseudonymous(extraction(1, comment(author="Anna")), KEY).items
        assert (answer.author, answer.person) == (None, None)  # type: ignore[union-attr]

    def test_names_without_an_id_are_masked_all_the_same(self) -> None:
        raw = extraction(1, comment(text="Anna and Bertrand"), Names(names={"": "Anna"}), Names(names={"": "Bertrand"}))
        (done,) = mask_thread([pseudonymous(raw, KEY)], "pseudonymous", ended=True)
        assert done.items[0].body_text == "[name] and [name]"  # type: ignore[union-attr]


class TestNames:
    @pytest.mark.parametrize(
        ("text", "name", "wanted"),
        [
            ("Thank you Marisol Vega!", "Marisol Vega", "Thank you [name]!"),
            ("thank you MARISOL, said vega's son", "Marisol Vega", "thank you [name], said [name]'s son"),
            ("Marisol \n Vega", "Marisol Vega", "[name]"),
            ("Dear Jo Li,", "Jo  Li", "Dear [name],"),
            ("Jo went home", "Jo Li", "[name] went home"),
            ("a jo went home", "Jo Li", "a jo went home"),
            ("Jo-Ann went home", "Jo Li", "Jo-Ann went home"),
            ("JO-ANN, Hans-Peter, Jo-Anna", "Jo Li; Hans; Anna", "JO-ANN, Hans-Peter, [name]-[name]"),
            ("Thanks Marisol-You saved me", "Marisol Vega", "Thanks [name]-You saved me"),
            ("MARISOL-THANKS", "Marisol Vega", "[name]-THANKS"),
            ("dr. Quillwort-Great work", "Ada Quillwort", "dr. [name]-Great work"),
            ("Jo-May I ask, Marisol-Anne", "Jo Li; Marisol", "[name]-May I ask, [name]-Anne"),
            ("Hartley-Moss wrote", "Ada Hartley-Moss", "[name]-[name] wrote"),
            ("Goran\u2019s and Bozenas view", "Goran; Bo\u017eena", "[name]\u2019s and [name] view"),
            ("Grüße an Juergen und MUELLER", "Jürgen Müller", "Grüße an [name] und [name]"),
            (
                "Píšu Zdence, ne Radkovi ani o Novotné",
                "Zdenka; Radek; Jana Novotná",
                "Píšu [name], ne [name] ani o [name]",
            ),
            ("Прав Павел, у Павла и Ольги", "Павел; Ольга", "Прав [name], у [name] и [name]"),
            ("and to-Dana: לדנה ושמיכל", "דנה; מיכל", "and to-Dana: ל[name] וש[name]"),
            ("Faith, have faith. A Faith of mine", "Faith", "[name], have faith. A Faith of mine"),
            ("Chance you met Chance", "Chance", "Chance you met [name]"),
            ("Dear Lost at Sea, I was lost at sea", "Lost at Sea", "Dear [name], I was lost at sea"),
            ("Sad, I was sad in Ohio", "Sad in Ohio", "Sad, I was sad in Ohio"),
            ("Dear anna roe, Anna, Roe", "Anna Roe of Berlin", "Dear [name], [name], [name]"),
            ("Dear Sarah, hi sarah. In Texas", "Sarah in Texas", "Dear [name], hi [name]. In Texas"),
            ("an Eva am Main, Evas", "Eva am Rhein", "an [name] am Main, [name]"),
            ("hi linh, thi, my dear", "nguyen thi my linh", "hi [name], [name], my dear"),
            ("ask soo, kim", "kim in soo", "ask [name], [name]"),
            ("to Mrs Young", "Ada Young of Bonn", "to Mrs [name]"),
            ("Annabelle, annabelle! Grace be", "Mother of Annabelle; Grace in Ohio", "[name], annabelle! [name] be"),
            (
                "Thank you for MS, 5 years",
                "Thank you for this; Mum with MS; 5 years of it",
                "Thank you for MS, 5 years",
            ),
            ("Анне и анне, мама", "Анна из Твери; Мама из Твери", "[name] и [name], мама"),
            ("Annabel and Savannah", "Anna", "Annabel and Savannah"),
            ("Ask Anna-Maria or Maria", "Anna-Maria Roe", "Ask [name]-[name] or [name]"),
            ("with the van", "Jan van der Berg", "with the van"),
            ("Jan van der Berg", "Jan van der Berg", "[name]"),
            ("Smith, J. was here", "J. Smith", "[name], J. was here"),
            ("write to vega", "marisol.vega@mail.example", "write to [name]"),
            ("by mail, example of it", "marisol.vega@mail.example", "by mail, example of it"),
            ("我是李娜医生", "李娜", "我是[name]医生"),
            ("(Anna)", "(Anna)", "[name]"),
            ("Anna came", "(Anna) :)", "[name] came"),
            ("in 2019", "Ed 2019", "in 2019"),
            ("Zoe\u0308 was here", "Zo\u00eb", "[name] was here"),
            ("Zo\u00eb was here", "Zoe\u0308", "[name] was here"),
        ],
    )
    def test_whole_and_in_parts(self, text: str, name: str, wanted: str) -> None:
        assert found(text, *name.split("; ")) == wanted

    @pytest.mark.parametrize(
        "name", ["Shauna O'Brien", "Shauna O\u2019Brien", 'Jo "Lee" Roe', "Tom & Tina", "A<b>c Roe"]
    )
    def test_as_html_writes_them(self, name: str) -> None:
        for written in (name, html.escape(name), html.escape(name).replace("&#x27;", "&#39;")):
            assert found(f"<p>{written}</p>", name) == "<p>[name]</p>"
        assert found("<p>Shauna&nbsp;O&#39;Brien</p>", "Shauna O'Brien") == "<p>[name]</p>"

    @given(st.text(alphabet=st.characters(categories=["Lu", "Ll"]), min_size=3, max_size=12), st.sampled_from("xyz"))
    def test_no_name_survives_in_any_case(self, name: str, other: str) -> None:
        assume(name.lower() not in COMMON)  # "Else" is a name or not by the words around it
        text = f"Hello {name}, {name.upper()} {other}."
        done = found(text, name)
        assert done is not None
        assert not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", done.replace(MASK, ""), re.IGNORECASE)

    def test_no_names_no_pattern(self) -> None:
        assert name_pattern([]) is None
        assert name_pattern(["", "  ", "!!", "\u200b"]) is None
        assert masked("as it is", None) == "as it is"
        assert masked(None, name_pattern(["x"])) is None


class TestNumbersAndMail:
    @pytest.mark.parametrize(
        "text",
        [
            "jane.roe+x@mail.example.org", "(jane@example.org)", "JANE_ROE@EXAMPLE.ORG", "mailto:jane@example.org",
            "jörg@müller.example",
        ],
    )  # fmt: skip
    def test_mail(self, text: str) -> None:
        done = masked(text, None)
        assert done is not None
        assert "@" not in done
        assert "[e-mail]" in done

    @pytest.mark.parametrize(
        "number",
        [
            "(555) 010-2368", "+1 555 010 2368", "555.010.2368", "5550102368", "+44 20 7946 0958", "030/90 18 20 00",
            "+49-30-901820-00", "555\u00a0010\u00a02368", "1-555-010-2368", "(+1) 555 010 2368".replace("(+1)", "+1"),
        ],
    )  # fmt: skip
    def test_phone_numbers(self, number: str) -> None:
        for text in (f"Call {number} now", number, f"<p>{number}</p>", f"({number}).", f"on 2019-02-01, {number}!"):
            done = masked(text, None)
            assert done is not None
            assert "[phone]" in done, text
            assert "2368" not in done.replace("2019", "")

    @pytest.mark.parametrize(
        "text",
        [
            "2019-02-01", "2019-02-01 14:30", "01/02/2019", "01/02/2019 10:30", "12.5.2024 9 Uhr", "2019/02/01 12:00",
            "0.5 mg/kg", "0.5 mg/kg over 40 minutes", "40 minutes", "6 sessions in 3 weeks", "$1,250", "1 250 000",
            "100-200-300 mg", "2019-2020", "90210", "id 12345678", "10:30-11:45", "1.2.3.4", "2019", "3 x 20 mg",
            "from 2019-02-01 to 2019-03-01", "ICD F32.1", "02/01/2019-03/01/2019", "2019.02.01 14.30",
        ],
    )  # fmt: skip
    def test_dates_doses_and_durations_are_none(self, text: str) -> None:
        assert masked(text, None) == text


@pytest.mark.parametrize("text", NAUGHTY)
def test_nothing_naughty_crashes(text: str) -> None:
    for name in NAUGHTY:
        masked(text, name_pattern([name, text]))


@pytest.mark.skipif(not HOSTILE.exists(), reason="the big list of naughty strings is not on this machine")
def test_nor_does_the_big_list() -> None:
    strings = json.loads(HOSTILE.read_text("utf-8"))
    pattern = name_pattern(strings)
    for text in strings:
        masked(text, pattern)
        masked(html.escape(text), name_pattern([text]))
        pseudonym(KEY, "riverside", text)
        plain = unicodedata.normalize("NFC", " ".join(text.split()))
        if plain == text and any(map(str.isalnum, text)):
            assert text not in (masked(f"x {text} y", pattern) or ""), text


@given(st.text(), st.lists(st.text(max_size=8), max_size=4))
def test_masking_never_crashes_and_is_stable(text: str, names: list[str]) -> None:
    pattern = name_pattern(names)
    assert masked(text, pattern) == masked(text, pattern)


class TestAccounts:
    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("see @quiet.owl and @quiet@social.example.", "see [handle] and [handle]."),
            ("u/quiet-owl or quiet_owl#0420", "[handle] or [handle]"),
            ("Insta: quiet.owl, snapchat = quietowl", "Insta: [handle], snapchat = [handle]"),
            ("on telegram as quiet_owl", "on telegram as [handle]"),
            ("telegram: look at this", "telegram: look at this"),
            ("@media print, @home @7pm, room#1204, tod@s", "@media print, @home @7pm, room#1204, tod@s"),
            ("(https://m.facebook.com/quiet.owl?x=1)", "([profile])"),
            ("https://de.linkedin.com/in/quiet-owl/.", "[profile]."),
            ("https://instagram.com/p/Cexample/", "https://instagram.com/p/Cexample/"),
            ("https://x.com/search?q=owl", "https://x.com/search?q=owl"),
            ("https://example.org/@quiet", "https://example.org/@quiet"),
            ('<a href="https://t.me/quiet_owl">me</a>', '<a href="[profile]">me</a>'),
            ("owl at example dot org", "owl at example dot org"),
            ("my mail: owl at example dot org", "my mail: [e-mail]"),
            ("owl.q at example dot org", "[e-mail]"),
            ("owl(at)example.org, owl [at] example [dot] org", "[e-mail], [e-mail]"),
            ("order no. 555 010 2368, call 555-0102", "order no. 555 010 2368, call [phone]"),
            (
                "12 500 000 Kč, 192.168.100.200, ISBN 978-0-00-000000-2",
                "12 500 000 Kč, 192.168.100.200, ISBN 978-0-00-000000-2",
            ),
            ("(555) 010-2368 ext. 12", "[phone]"),
        ],
    )
    def test_accounts_and_what_looks_like_them(self, text: str, wanted: str) -> None:
        assert masked(text, None) == wanted


@pytest.mark.parametrize(
    "part", ["a", "a.", "1", "1 ", "(1) ", "@", "a at ", "a dot ", "@a ", "a.b/1 ", "insta: ", "+1-", "[at] ", "A-"]
)
def test_a_long_text_costs_no_more_than_its_size(part: str) -> None:
    pattern = name_pattern(["Marisol Vega", "a b c d e f"])
    assert_linear(lambda characters: masked(part * (characters // len(part)), pattern), 60_000)


def texts(thread: list[Extraction]) -> list[str | None]:
    return [item.body_text for each in thread for item in each.items if isinstance(item, Comment)]


class TestThreads:
    THREAD = [  # noqa: RUF012
        extraction(1, comment("c1", "Vega helped me.", person="p1", author="reader-1", author_kind="member")),
        extraction(2, comment("c2", "So did Roe.", person="p2", author="reader-2", author_kind="guest")),
        extraction(3, Names(names={"p1": "Marisol Vega", "c9": "Roe"})),
    ]

    def test_a_name_of_any_answer_is_masked_in_all(self) -> None:
        done = mask_thread(self.THREAD, "pseudonymous", ended=True)
        assert texts(done) == ["[name] helped me.", "So did [name]."]
        assert [each.items[0].author for each in done[:2]] == ["reader-1", "reader-2"]  # type: ignore[union-attr]
        assert not any(isinstance(item, Names) for each in done for item in each.items)

    def test_omit_drops_the_pseudonyms_too(self) -> None:
        done = mask_thread(self.THREAD, "omit", ended=True)
        assert [each.items[0].author for each in done[:2]] == [None, None]  # type: ignore[union-attr]
        assert texts(done) == ["[name] helped me.", "So did [name]."]

    def test_keep_leaves_texts_and_printed_names_alone(self) -> None:
        for ended in (True, False):
            done = mask_thread(self.THREAD, "keep", ended=ended)
            assert [each.items[0].author for each in done[:2]] == ["Marisol Vega", None]  # type: ignore[union-attr]
            assert texts(done) == ["Vega helped me.", "So did Roe."]

    def test_cut_in_two_its_texts_are_left_out(self) -> None:
        done = mask_thread(self.THREAD[:2], "pseudonymous", ended=False)
        assert texts(done) == [None, None]
        assert [item.kind for item in done[-1].items if hasattr(item, "kind")] == ["thread-cut-short"]
        assert "Vega" not in repr([each.items for each in done])

    def test_with_every_member_named_it_is_whole(self) -> None:
        assert texts(mask_thread(self.THREAD, "pseudonymous", ended=False)) == ["[name] helped me.", "So did [name]."]
        more = [*self.THREAD, extraction(4, comment("c3", "Hm.", person="p3", author_kind="member"))]
        assert texts(mask_thread(more, "pseudonymous", ended=False)) == [None, None, None]


def test_addresses_of_a_post_are_not_names() -> None:
    assert HEX != OTHER_HEX
    assert masked(url("a-2019-02-01-note"), None) == url("a-2019-02-01-note")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("What a garden!\n— Rosa Q.", "Rosa Q."),
        ("He listened.\nRosa Quill", "Rosa Quill"),
        ("Ask me. Rosa Quill", "Rosa Quill"),
        ("It helped.\nThanks, Rosa", "Rosa"),
        ("It helped. Wonderful", None),
        ("It helped.\nThank You", None),
        ("It helped. See you in May", None),
        ("Rosa Quill", None),  # a whole comment, not its end
        ("", None),
        (None, None),
    ],
)
def test_a_comment_signed_in_its_last_words(text: str | None, name: str | None) -> None:
    assert signature(text) == name
