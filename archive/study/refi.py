"""A code book in the exchange format REFI-QDA (.qdc), which ATLAS.ti, MAXQDA, NVivo and QualCoder read.

Source of the format: REFI-QDA standard 1.5, https://www.qdasoftware.org/. A value is a code below its code.
"""

from __future__ import annotations

import re
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree

from archive.study.codebook import CodeBook

NAMESPACE = "urn:QDA-XML:codebook:1.0"
# Characters that XML 1.0 does not allow: "\x00", "\ufffe"
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def qdc(codebook: CodeBook, software: str) -> bytes:
    """Return the file. The ids of its codes follow from the code book, so that it is the same at every call."""
    root = ElementTree.Element("CodeBook", {"xmlns": NAMESPACE, "origin": software})
    codes = ElementTree.SubElement(root, "Codes")
    for code in codebook.codes:
        parent = _add(codes, codebook, code.code, code.code, is_codable=False)
        about = "\n".join(filter(None, [code.label, code.description]))
        if about:
            ElementTree.SubElement(parent, "Description").text = _NO_XML.sub("\ufffd", about)
        for value in code.values:
            _add(parent, codebook, f"{code.code}\0{value}", value, is_codable=True)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _add(
    parent: ElementTree.Element, codebook: CodeBook, key: str, name: str, *, is_codable: bool
) -> ElementTree.Element:
    guid = str(uuid5(NAMESPACE_URL, f"{codebook.digest}\0{key}"))
    attributes = {"guid": guid, "name": _NO_XML.sub("\ufffd", name), "isCodable": str(is_codable).lower()}
    return ElementTree.SubElement(parent, "Code", attributes)
