"""Drives a page: waits for the targets, scrolls to them, presses buttons for more, until all is there or time is up.

It waits for the targets, not for an idle network: a page with a chat is never idle. Playwright's locators query the
page in an isolated world that the page's script cannot reach.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import Final

from playwright.async_api import Error, Locator, Page

from scraper.browser._record import Recorder
from scraper.platforms._platform import RenderTargets

POLL: Final = 0.1  # seconds
MAX_PRESSES: Final = 300
MAX_STEPS: Final = 60  # of scrolling: a page may grow as it is scrolled
PRESS_SECONDS: Final = 5.0  # for a press to have an effect
FRUITLESS_SECONDS: Final = 1.5  # after a press that caused no request
SETTLE_SECONDS: Final = 8.0  # for an empty list of comments to fill
# The mark is on the button itself, because positions shift as elements come and go.
_FRUITLESS: Final = "node => { node[Symbol.for('fruitless')] = true; }"
_IS_FRUITLESS: Final = "node => node[Symbol.for('fruitless')] === true"
_TEXT: Final = re.compile(r"\S")
# "Show more comments", "Load more replies", "View 3 more replies", "Show replies (2)" in the languages of sites
# that were seen; those of other languages are from the translations of Wix and WordPress.
_MORE: Final = re.compile(
    r"(?:show|load|view|see|read)\b.*\b(?:more|all|repl(?:y|ies))\b"
    r"|\bmore (?:comments|replies)\b"
    r"|^view more$"
    r"|mehr (?:anzeigen|kommentare|antworten|laden)|antworten (?:an)?zeigen|weitere (?:kommentare|antworten)"
    r"|(?:ver|mostrar|cargar) (?:más|las? respuestas?|respuestas?)|más (?:comentarios|respuestas)"
    r"|(?:ver|mostrar|carregar) (?:mais|respostas?)|mais (?:comentários|respostas)"
    r"|(?:afficher|voir|charger) (?:plus|les réponses|davantage)|plus de (?:commentaires|réponses)"
    r"|(?:mostra|vedi|carica) (?:altri|altre|altro|più|risposte)"
    r"|meer (?:reacties|opmerkingen|antwoorden|weergeven|laden)|antwoorden weergeven|reacties weergeven"
    r"|zobrazit (?:další|více|odpovědi)|pokaż (?:więcej|odpowiedzi)"
    r"|عرض المزيد|عرض الردود|もっと(?:見る|表示)|返信を(?:表示|見る)|показать (?:ещё|еще|ответы)|הצג (?:עוד|תגובות)",
    re.IGNORECASE,
)


class _OutOfTimeError(Exception):
    pass


@dataclass
class Driver:
    """Drives one page until all targets are visible. `reason` says what is missing."""

    page: Page
    wanted: RenderTargets
    recorder: Recorder
    deadline: float  # of the running loop's clock
    quiet_seconds: float  # without any traffic, after which missing targets are given up
    pressed: int = 0
    missing: list[str] = field(default_factory=list)
    _steps: int = 0
    _bottom: bool = False

    async def drive(self) -> None:
        """Drive the page until the deadline. Raises Playwright's Error where the page crashes."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(self.deadline):
                if await self._wait() and self.wanted.comments:
                    await self._comments()
        except (TimeoutError, _OutOfTimeError):
            if loop.time() < self.deadline:
                raise
            self.missing.append("time limit")

    @property
    def reason(self) -> str | None:
        """Why the page is not complete; None: it is."""
        return "; ".join(dict.fromkeys(self.missing)) or None

    async def _wait(self) -> bool:
        """Scroll until counters and comments are there; return whether comments are."""
        missing = {name for name in ("counters", "comments") if getattr(self.wanted, name)}
        try:
            while missing:
                missing -= {name for name in missing if await self._present(name)}
                if not missing or self.recorder.quiet_for() > self.quiet_seconds:
                    break
                await self._scroll()
                await asyncio.sleep(POLL)
        finally:
            self.missing += [f"{name} never came" for name in sorted(missing)]
        return "comments" not in missing

    async def _present(self, name: str) -> bool:
        if name == "counters":
            return await self.page.locator(self.wanted.counters).filter(has_text=_TEXT).count() > 0
        return await self.page.locator(self.wanted.comments).count() > 0

    async def _scroll(self) -> None:
        """Scroll down one step, so that elements appear that a script adds when they come into view."""
        if self._bottom or self._steps >= MAX_STEPS:
            return
        self._steps += 1
        moved = await self.page.evaluate(
            "() => { const before = scrollY; scrollBy(0, innerHeight * 0.8); return scrollY - before; }"
        )
        self._bottom = not isinstance(moved, int | float) or moved < 1
        if not self._bottom:
            self.recorder.note_activity()

    async def _comments(self) -> None:
        root = self.page.locator(self.wanted.comments).first
        await root.evaluate("node => node.scrollIntoView()")
        await self._wait_for_items()
        for _ in range(MAX_PRESSES):  # a round may add buttons for another
            if not await self._round(root):
                break
        await self._wait_for_answers()

    async def _wait_for_items(self) -> None:
        """Wait until the list has a comment, or is certainly empty."""
        if not self.wanted.item:
            await self._wait_for_answers()
            return
        loop = asyncio.get_running_loop()
        until = loop.time() + (self.quiet_seconds if self.wanted.expected else SETTLE_SECONDS)
        while not await self._items():
            if not self.wanted.expected and self.recorder.quiet_for() > 1.0:
                return  # no request is pending
            if loop.time() > until and not self.recorder.busy():
                if self.wanted.expected:
                    self.missing.append("comments never came")
                return
            await asyncio.sleep(POLL)

    async def _items(self) -> int:
        return await self.page.locator(self.wanted.item).count() if self.wanted.item else 0

    async def _round(self, root: Locator) -> bool:
        """Press every button once; return whether any of them added something."""
        found = [self.page.locator(selector) for selector in self.wanted.more]
        found.append(root.get_by_role("button", name=_MORE))
        gained = False
        for buttons in found:
            passed = 0  # buttons that remain after they were pressed
            while await buttons.count() > passed:
                if self.pressed >= MAX_PRESSES:
                    self.missing.append(f"more comments than {MAX_PRESSES} presses show")
                    return False
                if await self._press(buttons, buttons.nth(passed)):
                    gained = True
                else:
                    passed += 1
        return gained

    async def _press(self, buttons: Locator, button: Locator) -> bool:
        """Press one button and wait for its effect; False: it has none, and is not pressed again."""
        before = await self._state(buttons, button)
        if before is None or not await button.is_visible() or not await self._enabled(button):
            return False
        try:
            if await button.evaluate(_IS_FRUITLESS, timeout=1_000):
                return False
            await self._click(button)
            outcome = await self._outcome(buttons, button, before)
            if outcome == "less":  # it was open already: open it again
                await self._click(button)
                await self._outcome(buttons, button, (before[0] - 1, *before[1:]))
            if outcome != "more":
                await button.evaluate(_FRUITLESS, timeout=1_000)
        except Error:
            if self.page.is_closed():
                raise
            return True  # the button is gone: look again
        return outcome == "more"

    async def _click(self, button: Locator) -> None:
        # Without a hit test: a visitor could close what covers it (a consent banner).
        await button.dispatch_event("click", timeout=1_000)
        self.pressed += 1
        self.recorder.note_activity()

    async def _outcome(self, buttons: Locator, button: Locator, before: tuple[int, int, str]) -> str:
        """Return the effect of a press: "more", "less" or "nothing"."""
        loop = asyncio.get_running_loop()
        until = loop.time() + PRESS_SECONDS
        while self.recorder.busy() or (loop.time() < until and self.recorder.quiet_for() < FRUITLESS_SECONDS):
            await asyncio.sleep(POLL / 2)
            after = await self._state(buttons, button)
            if after is None or after[0] > before[0] or after[1] != before[1]:
                return "more"
            if after[0] < before[0]:
                return "less"
            if not self.wanted.item and after[2] != before[2] and not self.recorder.busy():
                return "more"  # items cannot be counted: other words on the button count
        return "nothing"

    async def _enabled(self, button: Locator) -> bool:
        loop = asyncio.get_running_loop()
        until = loop.time() + PRESS_SECONDS
        while loop.time() < until:
            try:
                if await button.is_enabled(timeout=500):
                    return True
            except Error:
                if self.page.is_closed():
                    raise
                return False
            await asyncio.sleep(POLL)
        return False

    async def _state(self, buttons: Locator, button: Locator) -> tuple[int, int, str] | None:
        """Return what a press may change: the numbers of comments and of buttons, and the words on this one."""
        try:
            count = await buttons.count()
            text = await button.text_content(timeout=500) if count else ""
        except Error:
            if self.page.is_closed():
                raise
            return None
        return await self._items(), count, text or ""

    async def _wait_for_answers(self) -> None:
        """Wait until pending answers have come."""
        loop = asyncio.get_running_loop()
        until = loop.time() + PRESS_SECONDS
        while loop.time() < until and self.recorder.quiet_for() < POLL * 2:
            await asyncio.sleep(POLL / 2)
