"""`make docs`: write the generated pages of docs/ again."""

from __future__ import annotations

from tests.docs.generated import DOCS, pages


def main() -> None:
    """Write every generated page, and print its name where it changed."""
    for name, text in pages().items():
        path = DOCS / name
        path.parent.mkdir(exist_ok=True)
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            print(path.name)


if __name__ == "__main__":
    main()
