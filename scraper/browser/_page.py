"""What is done with a page: wait for what is wanted, scroll to it, press for more, until there is no more or no time.

It waits for what it needs, not for the network to be idle, which on a page with a chat never comes. What the page is
asked is asked through Playwright's locators, which live in a world of their own that the page's script cannot reach.
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
MOST_PRESSES: Final = 300
MOST_STEPS: Final = 60  # of scrolling: a page may grow as it is scrolled
PRESS_SECONDS: Final = 5.0  # for a press to show
FRUITLESS_SECONDS: Final = 1.5  # after a press that made the page ask for nothing
SETTLE_SECONDS: Final = 8.0  # for an empty list of comments to fill
# The button itself remembers; places in the page shift as others come and go.
_FRUITLESS: Final = "node => { node[Symbol.for('fruitless')] = true; }"
_IS_FRUITLESS: Final = "node => node[Symbol.for('fruitless')] === true"
_TEXT: Final = re.compile(r"\S")
# "Show more comments", "Load more replies", "View 3 more replies", "Show replies (2)" in the languages that sites were
# seen in; the words of other languages are from Wix's and WordPress's own translations.
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
    """Drives one page to where a visitor would have seen everything wanted. `reason` says what is missing."""

    page: Page
    wanted: RenderTargets
    recorder: Recorder
    deadline: float  # of the running loop's clock
    quiet_seconds: float  # without any traffic, after which what is missing is held never to come
    pressed: int = 0
    missing: list[str] = field(default_factory=list)
    _steps: int = 0
    _bottom: bool = False

    async def drive(self) -> None:
        """Everything, within the time there is. Raises Playwright's Error where the page dies."""
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
        """Until counters and comments are there, scrolling meanwhile; False: there are no comments to go on with."""
        left = {name for name in ("counters", "comments") if getattr(self.wanted, name)}
        try:
            while left:
                left -= {name for name in left if await self._present(name)}
                if not left or self.recorder.quiet_for() > self.quiet_seconds:
                    break
                await self._scroll()
                await asyncio.sleep(POLL)
        finally:
            self.missing += [f"{name} never came" for name in sorted(left)]
        return "comments" not in left

    async def _present(self, name: str) -> bool:
        if name == "counters":
            return await self.page.locator(self.wanted.counters).filter(has_text=_TEXT).count() > 0
        return await self.page.locator(self.wanted.comments).count() > 0

    async def _scroll(self) -> None:
        """One step down: what is mounted when it comes into view is mounted so."""
        if self._bottom or self._steps >= MOST_STEPS:
            return
        self._steps += 1
        moved = await self.page.evaluate(
            "() => { const before = scrollY; scrollBy(0, innerHeight * 0.8); return scrollY - before; }"
        )
        self._bottom = not isinstance(moved, int | float) or moved < 1
        if not self._bottom:
            self.recorder.stir()

    async def _comments(self) -> None:
        root = self.page.locator(self.wanted.comments).first
        await root.evaluate("node => node.scrollIntoView()")
        await self._filled()
        for _ in range(MOST_PRESSES):  # a round may bring buttons for another
            if not await self._round(root):
                break
        await self._calm()

    async def _filled(self) -> None:
        """Until the list has a comment, or is seen to be empty."""
        if not self.wanted.item:
            await self._calm()
            return
        loop = asyncio.get_running_loop()
        until = loop.time() + (self.quiet_seconds if self.wanted.expected else SETTLE_SECONDS)
        while not await self._items():
            if not self.wanted.expected and self.recorder.quiet_for() > 1.0:
                return  # nothing is on its way
            if loop.time() > until and not self.recorder.busy():
                if self.wanted.expected:
                    self.missing.append("comments never came")
                return
            await asyncio.sleep(POLL)

    async def _items(self) -> int:
        return await self.page.locator(self.wanted.item).count() if self.wanted.item else 0

    async def _round(self, root: Locator) -> bool:
        """Press every button once over; False: nothing came of it."""
        found = [self.page.locator(selector) for selector in self.wanted.more]
        found.append(root.get_by_role("button", name=_MORE))
        gained = False
        for buttons in found:
            passed = 0  # buttons that stay where they are after they were pressed
            while await buttons.count() > passed:
                if self.pressed >= MOST_PRESSES:
                    self.missing.append(f"more comments than {MOST_PRESSES} presses show")
                    return False
                if await self._press(buttons, buttons.nth(passed)):
                    gained = True
                else:
                    passed += 1
        return gained

    async def _press(self, buttons: Locator, button: Locator) -> bool:
        """Press one button and wait for what it brings; False: it brings nothing, and is not pressed again."""
        before = await self._state(buttons, button)
        if before is None or not await button.is_visible() or not await self._enabled(button):
            return False
        try:
            if await button.evaluate(_IS_FRUITLESS, timeout=1_000):
                return False
            await self._click(button)
            outcome = await self._outcome(buttons, button, before)
            if outcome == "less":  # it was open: open it again
                await self._click(button)
                await self._outcome(buttons, button, (before[0] - 1, *before[1:]))
            if outcome != "more":
                await button.evaluate(_FRUITLESS, timeout=1_000)
        except Error:
            if self.page.is_closed():
                raise
            return True  # gone, or no longer there to be pressed: look again
        return outcome == "more"

    async def _click(self, button: Locator) -> None:
        # Without a hit test: what covers it (a consent banner) is nothing a visitor could not close.
        await button.dispatch_event("click", timeout=1_000)
        self.pressed += 1
        self.recorder.stir()

    async def _outcome(self, buttons: Locator, button: Locator, before: tuple[int, int, str]) -> str:
        """What a press brought: "more", "less" or "nothing"."""
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
                return "more"  # nothing can be counted: another word on the button must do
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
        """What a press would change: comments shown, buttons there, and the words on this one."""
        try:
            count = await buttons.count()
            text = await button.text_content(timeout=500) if count else ""
        except Error:
            if self.page.is_closed():
                raise
            return None
        return await self._items(), count, text or ""

    async def _calm(self) -> None:
        """Until answers under way have come."""
        loop = asyncio.get_running_loop()
        until = loop.time() + PRESS_SECONDS
        while loop.time() < until and self.recorder.quiet_for() < POLL * 2:
            await asyncio.sleep(POLL / 2)
