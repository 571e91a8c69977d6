"""Ways to write an address that a public crawler must not connect to, as hosts of a URL.

Each is known from public write-ups of how such guards were got round: number systems, IPv6 forms that carry IPv4,
letters that are levelled to digits, escapes, names that lead home.
"""

from __future__ import annotations

# This machine, as an IPv4 address that resolvers read in many ways (inet_aton(3)).
NUMBERS = (
    "127.0.0.1", "127.1", "127.0.1", "127.127.127.127", "127.255.255.254", "127.0.0.1.", "127.0.0.1..",
    "2130706433", "2130706433.", "017700000001", "0x7f000001", "0X7F000001", "0x7f.0.0.1", "0x7f.1", "0x7f.0x1",
    "0177.0.0.1", "0177.1", "00000177.1", "0177.0.0.01", "127.0.0.0x1", "127.0x0.1", "0x7f.0.01", "127.00000000001",
    "0x000000007f000001", "0000017700000001", "0", "00", "0x0", "0.0.0.0", "0.0", "0.1", "000.000.000.000",
)  # fmt: skip

# Neighbours and the services that clouds answer for their own machines.
NEIGHBOURS = (
    "10.0.0.1", "10.1", "167772161", "012.0.0.1", "0xa000001", "172.16.0.1", "172.31.255.255", "2886729729",
    "192.168.0.1", "192.168.1", "3232235777", "0300.0250.1.1", "0xc0a80101", "169.254.169.254", "2852039166",
    "0xa9fea9fe", "0251.0376.0251.0376", "0xa9.0xfe.43518", "169.254.43518", "0251.254.169.254", "100.64.0.1",
    "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1", "192.0.2.1", "224.0.0.1", "239.255.255.250",
    "240.0.0.1", "255.255.255.255", "4294967295", "192.88.99.1",
)  # fmt: skip

# IPv6: its own private addresses, and those that carry such an IPv4 address inside.
SIX = (
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000:0000:0000:0000:0000:0000:0000:0001]", "[::0001]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::FFFF:7F00:0001]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::ffff:0.0.0.0]", "[::ffff:10.0.0.1]",
    "[::ffff:a9fe:a9fe]", "[::127.0.0.1]", "[::7f00:1]", "[::169.254.169.254]", "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::127.0.0.1]", "[64:ff9b:1:a9fe:a9:fe00:808:808]",
    "[64:ff9b:1:7f00:0:100:808:808]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::]", "[2002:0a00:0001::1]",
    "[2001:0:7f00:1::]", "[2001:0:102:304::80ff:fffe]", "[fe80::1]", "[fe80::1%25lo]", "[fe80::1%lo]", "[::1%25lo]",
    "[::1%lo]", "[fe80::5efe:127.0.0.1]", "[fc00::1]", "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]",
    "[100::1]", "[3fff::1]",
)  # fmt: skip

# Letters that IDNA levels to digits and dots: full width, circled, double struck, superscript, ideographic full stops.
LEVELLED = (
    "１２７.０.０.１", "１２７。０。０。１", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1", "①②⑦.⓪.⓪.①",
    "①②⑦。⓪。⓪。①", "𝟏𝟐𝟕.𝟎.𝟎.𝟏", "𝟙𝟚𝟟.𝟘.𝟘.𝟙", "¹²⁷.⁰.⁰.¹", "⑯⑨。②⑤④。⑯⑨｡②⑤④", "０ｘ７ｆ０００００１",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "ｌｏｃａｌｈｏｓｔ", "ℒocalhost", "loc\u00adalhost", "1\u200b27.0.0.1", "127.0.0.1\u2060",
    "²¹³⁰⁷⁰⁶⁴³³",
)  # fmt: skip

# Names that lead nowhere but home.
NAMES = (
    "localhost", "LOCALHOST", "LocalHost.", "localhost..", "a.localhost", "localhost.localdomain", "printer.local",
    "metadata.google.internal", "metadata.google.internal.", "router.home.arpa", "instance-data.ec2.internal",
)  # fmt: skip

# What only a resolver would have to undo, and none does; a guard must not be fooled by what it makes of them either.
ESCAPED = (
    "127%2e0%2e0%2e1", "%31%32%37.0.0.1", "%6c%6f%63%61%6c%68%6f%73%74", "127.0.0.1%00.clinic.test",
    "localhost%00.clinic.test", "127.0.0.1%2f", "127.0.0.1%20", "256.256.256.256", "4294967297", "127.0.0.1.1",
    "0x7f.0x0.0x0.0x1.0x0", "٠.0.0.0", "१२७.०.०.१", "127.0.0.1,clinic.test", "[v1.fe80::a]",
)  # fmt: skip

# A name, a password and other things that stand before or behind the host, or seem to. {0}: the forbidden place.
AROUND = (
    "http://reader@{0}/", "http://reader:secret@{0}/", "http://clinic.test@{0}/", "http://clinic.test:80@{0}/",
    "http://{0}\\@clinic.test/", "http://{0}#@clinic.test/", "http://{0}?@clinic.test/", "http://clinic.test\\@{0}/",
    "//{0}/", "\\\\{0}/", "/\\{0}/", "\t//{0}/", "http:\\\\{0}/", "http:///{0}/", "http:{0}", "http:/{0}/", "https://{0}/",
    "HTTP://{0}/", "ht\ttp://{0}/", "http://{0}\t/", "http:////{0}/", "http://[{0}]/", "http://{0}:0/", "http://{0}:/",
)  # fmt: skip

# Neither http nor https, or no address at all.
SCHEMES = (
    "file:///etc/passwd", "file://localhost/etc/passwd", "file://{0}/x", "ftp://{0}/x", "gopher://{0}/_x", "dict://{0}/x",
    "ldap://{0}/", "tftp://{0}/x", "sftp://{0}/x", "jar:http://{0}!/x", "netdoc:///etc/passwd", "data:text/html,<h1>x",
    "data:text/html;base64,PGgxPng=", "javascript:alert(1)", "mailto:a@{0}", "about:blank", "s3://bucket/x", "ws://{0}/",
    "view-source:http://{0}/", "blob:http://{0}/x", "tel:127001", "unix:/run/docker.sock", "php://filter/x", "x-test:y",
)  # fmt: skip
