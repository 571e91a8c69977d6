"""Whatever the sample clinic does between crawls, a rebuild from the WARC files says what the live archive says."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.clinic import Clinic, running
from tests.e2e.fault_cases import keep_few
from tests.e2e.killing import cli
from tests.e2e.product import Done, crawl
from tests.soak import SOAK

pytestmark = pytest.mark.usefixtures("one_process")

SEEDS = range(12) if SOAK else [7]
CRAWLS = 6 if SOAK else 2
ACTIONS = ("edit", "edit", "delete", "restore", "rename", "publish", "add_comment", "delete_comment", "fail")


def change(clinic: Clinic, chance: random.Random, number: int) -> None:
    """One thing that a clinic or its readers may do."""
    action = chance.choice(ACTIONS)
    posts = clinic.truth()["posts"]
    live = [post for post in posts if not post["deleted"]]
    post = chance.choice([item for item in posts if item["deleted"]] or live if action == "restore" else live)
    given: dict[str, Any] = {"slug": post["slug"]}
    if action == "edit":
        given["text"] = f"Rewritten for the {number}th time."
    elif action == "rename":
        given["new_slug"] = f"{post['slug']}-{number}"
    elif action == "publish":
        given = {"slug": f"new-{number}", "text": f"Note {number}."}
    elif action == "delete_comment":
        comments = [comment["id"] for item in live for comment in item["comments"] if comment["status"] == "PUBLISHED"]
        given = {"comment_id": chance.choice(comments)}
    elif action == "fail":
        given = {"path": f"/post/{post['slug']}", "status": chance.choice([404, 410]), "times": 1}
    clinic.control(action, **given)


@pytest.mark.parametrize("seed", SEEDS)
def test_rebuild_equals_live(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    live = tmp_path / "live"
    with running(tmp_path / "clinic") as clinic:
        if not SOAK:
            keep_few(clinic)
        for number in range(CRAWLS):
            done = crawl(live, clinic.url, "--json")
            assert done.code == 0, done.err
            for _ in range(chance.randrange(2, 7)):
                change(clinic, chance, number * 10 + chance.randrange(10))
    copy = shutil.copytree(live, tmp_path / "copy")
    done = cli("rebuild", "--archive", copy, "--json")
    assert (done.code, done.err, done.json["differs"]) == (0, "", [])
    assert cli("verify", "--archive", live) == Done(0, "", "")
