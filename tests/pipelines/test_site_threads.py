"""Comments of a whole site: held until their reading ends, masked post by post, complete or not."""

from __future__ import annotations

from typing import Any

from pipelines.fold.threads import mark_complete
from pipelines.privacy.pseudonyms import pseudonymous
from pipelines.privacy.threads import mask_thread
from scraper.items import Comment, Extraction, Item, Thread, ThreadPage

KEY = b"k" * 32


def page(cursor: str | None, *following: str) -> ThreadPage:
    return ThreadPage(post=(), cursor=cursor, following=following, source="api", counts="wordpress")


def comment(number: int, post: int, text: str, author: str) -> Comment:
    return Comment(
        post=(f"wordpress:{post}",), platform_comment_id=str(number), author=author, person=author, body_text=text
    )


def extraction(*items: Item) -> Extraction:
    return pseudonymous(Extraction(clinic_id="c", capture=None, items=items), KEY)


def texts(captures: list[Extraction]) -> list[Any]:
    return [item.body_text for capture in captures for item in capture.items if isinstance(item, Comment)]


def threads(captures: list[Extraction]) -> list[Thread]:
    return [item for capture in mark_complete(captures) for item in capture.items if isinstance(item, Thread)]


def test_a_whole_reading_lists_the_comments_of_all_posts() -> None:
    first = extraction(comment(1, 7, "a", "Rose"), page(None, "2/2"))
    last = extraction(comment(2, 8, "b", "Tom"), page("2/2"))
    assert threads([first, last]) == [Thread(post=(), comments=("1", "2"), source="api", counts="wordpress")]


def test_a_reading_whose_total_changed_is_not_complete() -> None:
    """A comment was removed meanwhile, so that another moved to the page before."""
    first = extraction(comment(1, 7, "a", "Rose"), page(None, "2/3"))
    assert threads([first, extraction(page("2/2"))]) == []
    assert threads([first]) == []


def test_several_posts_in_one_answer_have_a_thread_each() -> None:
    pages = [ThreadPage(post=(f"wordpress:{post}",), cursor=None, source="api") for post in (7, 8)]
    found = threads([extraction(comment(1, 7, "a", "Rose"), *pages)])
    assert [(thread.post, thread.comments) for thread in found] == [(("wordpress:7",), ("1",)), (("wordpress:8",), ())]


def test_names_are_masked_in_the_thread_of_their_post_alone() -> None:
    first = extraction(comment(1, 7, "I agree.", "Rose"), comment(2, 8, "A Rose by the door.", "Tom"))
    last = extraction(comment(3, 7, "Thank you, Rose.", "Ann"))
    done = mask_thread([first, last], "pseudonymous", ended=True)
    assert texts(done) == ["I agree.", "A Rose by the door.", "Thank you, [name]."]
