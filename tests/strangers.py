"""Words with which strangers try to be links, formulas, icons, markup or orders."""

HOSTILE = (
    *("apple_pie", "_a_", "R&D", "C++", "C#", "dog 🐶", "n01440764", "$5 and $6", "$x$", "a*b*c"),
    *("[x](http://e.invalid)", "![x](http://e.invalid/p.png)", "[x]: http://e.invalid", "[^1]"),
    *("<script>alert(1)</script>", "<b>b</b>", "<img src=x onerror=alert(1)>"),
    *("<http://e.invalid>", "<!-- c -->", "<a href='http://e.invalid'>x</a>"),
    *("www.x.com/login", "WWW.x.com", "http://e.invalid/a_b", "https://e.invalid", "mail@x.yz"),
    *("mailto:mail@x.yz", "xmpp:a@b.cd", ":red[x]", ":material/home:", ":smile:", ":streamlit:"),
    *(":red-badge[x]", ":color[x]{foreground=red}", "::video[x]", ":::note", "a:b:c", "@{x=y}"),
    *("~~x~~", "`c`", "```", "**b**", "__b__", "| a | b |", "# h", "- l", "+ l", "* l", "1. x"),
    *("2) x", "> q", "---", "===", "\\", "a\\_b", "\\(x\\)", "&lt;", "&#42;", "a -> b", "a <- b"),
    *("a <-> b", "a -- b", "a >= b", "a <= b", "a ~= b", '=HYPERLINK("http://e.invalid")', "+1"),
    *("-1", "@SUM(1)", "%{x}", "{answer}", "{0}", "%s", "[ ] t", "[x] t", "'q'", '"q"'),
    *("שלום", "日本語", "a 👨‍👩‍👧", "Zoë", "jack-o'-lantern", "(a)", "a](b)", "x" * 100),
)
UNSEEN = {  # what nobody can see, or what spoils the line, and what is shown of it
    "a\tb": "a␉b",
    "a\r\nb": "a␍␊b",
    "a\x00b\x1b[31m": "a␀b␛[31m",
    "a\x7fb": "a␡b",
    "abc\u202edef": "abc�def",
    "a\u200bb\ufeff": "a�b�",
    "a\u2066b\u2028c\u00ad": "a�b�c�",
    "a\xa0b": "a b",
    "y" * 101: "y" * 99 + "…",
    "z" * 100_000: "z" * 99 + "…",
}
