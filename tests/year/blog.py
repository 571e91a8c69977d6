"""The clinic's blog as it stands at a moment of the story: posts, their texts and comments, and what is broken."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

BEGAN = datetime(2025, 3, 3, 3, 17, tzinfo=UTC)  # the first run


def day_of(at: datetime) -> int:
    """Days since the first run, whole ones."""
    return (at - BEGAN).days


@dataclass(frozen=True)
class Comment:
    """A comment of a guest."""

    name: str  # the platform's id
    text: str
    at: datetime


@dataclass(frozen=True)
class Wording:
    """What a post said from a moment on."""

    at: datetime
    words: str
    announced: bool  # a list or the service told that it changed


@dataclass
class Post:
    """A post, alive or gone."""

    number: int
    slug: str
    published: datetime
    rate: int  # views a day
    wordings: list[Wording] = field(default_factory=list)
    lastmod: str = ""  # as the sitemap prints it
    changed: datetime | None = None  # as the service tells it
    alive: bool = True
    listed: bool = True
    unlisted: datetime | None = None  # when the lists last ceased to name it
    old_slugs: list[str] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    lives: list[tuple[datetime, bool]] = field(
        default_factory=list
    )  # since when it answers, or answers that it is gone

    @property
    def uuid(self) -> str:
        return f"{self.number:08x}-0c9f-4a1b-8f6e-2f8a3c1d4e5f"

    @property
    def internal(self) -> str:
        return f"64ddbf6a1737d98a{self.number:08x}"

    @property
    def words(self) -> str:
        return self.wordings[-1].words

    def views(self, at: datetime) -> int:
        """What the counter says at a moment."""
        return 10 + self.number + self.rate * max(day_of(at), 0)

    def say(self, at: datetime, words: str, *, announced: bool) -> None:
        """Its text is another one from now on."""
        self.wordings.append(Wording(at, words, announced))

    def announce(self, at: datetime, *, sitemap: bool = True) -> None:
        """The lists tell that it changed."""
        self.changed = at
        if sitemap:
            self.lastmod = f"{at:%Y-%m-%d}"

    def live(self, at: datetime, *, alive: bool, listed: bool) -> None:
        """It is there from now on, or gone; the lists name it or do not."""
        if self.listed and not listed:
            self.unlisted = at
        if alive != self.alive:
            self.lives.append((at, alive))
        self.alive, self.listed = alive, listed


@dataclass
class Weather:
    """What is broken today."""

    outage: str | None = None  # "503" for every request; "closed": nobody listens
    down: frozenset[int] = frozenset()  # posts that answer 503
    sitemap: str | None = None  # "empty", "html", "503", "cut"
    services: bool = True  # the services behind the blog answer
    silent: bool = False  # the theme shows no views
    vanished: frozenset[int] = frozenset()  # posts that are gone, for today
    moved: bool = False  # the home page leads to another host


@dataclass
class Blog:
    """All of it. `served`: counters and comments come by the services, else pages print their counters."""

    served: bool
    posts: list[Post] = field(default_factory=list)
    weather: Weather = field(default_factory=Weather)
    now: datetime = BEGAN

    def find(self, slug: str) -> Post | None:
        """The post under its present slug."""
        return next((post for post in self.posts if post.slug == slug), None)

    def renamed(self, slug: str) -> Post | None:
        """The post that was once under this slug."""
        return next((post for post in self.posts if slug in post.old_slugs), None)

    def there(self, post: Post) -> bool:
        """It answers today."""
        return post.alive and post.number not in self.weather.vanished

    def listed(self) -> list[Post]:
        """What the lists name, newest first."""
        named = [post for post in self.posts if post.listed and post.number not in self.weather.vanished]
        return sorted(named, key=lambda post: (post.published, post.number), reverse=True)


def begin(served: bool, number: int) -> Blog:
    """The blog before the first run: posts of the two years before, one every twelve days."""
    blog = Blog(served)
    for n in range(1, number + 1):
        at = BEGAN - timedelta(days=12 * (number - n) + 3, hours=5)
        blog.posts.append(new_post(n, at))
    return blog


def new_post(number: int, at: datetime) -> Post:
    """A post as it is first published."""
    post = Post(number, f"note-{number}", at, rate=number % 4, lives=[(at, True)])
    post.say(at, f"Note {number}, first wording.", announced=True)
    post.announce(at)
    return post
