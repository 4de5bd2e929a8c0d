"""What the golden files are made of. Texts, not values: white space, order and the forms of numbers count."""

import json
from typing import Any

# Fills a report, so that a delta is at most half as long.
PAD = '"note":"' + "all is well, and what is well stays as it is; " * 12 + '"'


def repo(name: str, status: str = "clean", more: str = "") -> str:
    """Give a repository's text."""
    return (
        f'{{"name":{json.dumps(name, ensure_ascii=False)},"status":"{status}","local_path":"/srv/{len(name)}"{more}}}'
    )


def audit(
    *repos: str, timestamp: str = "2026-11-23T12:00:00Z", summary: str = '{"total":3,"dirty":0}', more: str = ""
) -> str:
    """Give an audit report's text."""
    return f'{{"timestamp":"{timestamp}",{PAD},"summary":{summary},"repos":[{",".join(repos)}]{more}}}'


def generic(*members: str) -> str:
    """Give the text of an object that is long enough."""
    return "{" + ",".join([PAD, *members]) + "}"


def array(*items: str) -> str:
    """Give the text of an array that is long enough."""
    return "[" + ",".join(["{" + PAD + "}", *items]) + "]"


A, B, C, D = map(repo, "abcd")
LATER = {"timestamp": "2026-11-23T12:05:00Z"}
OLD = '{"name":"old","uncommittedChanges":false,"path":"/srv/old"}'
TWICE = '{"name":"a","name":"a","status":"clean"}'

# name, kind, before, after
DIFFED: list[tuple[str, str, str, str]] = [
    ("equal", "audit", audit(A, B), audit(A, B)),
    ("timestamp", "audit", audit(A, B), audit(A, B, **LATER)),
    ("top level: set, added and unset", "audit", audit(A, more=',"x":1,"y":2'), audit(A, more=',"y":3,"z":{"a":[]}')),
    ("top level: what is set may be null", "audit", audit(A, more=',"x":1'), audit(A, more=',"x":null')),
    ("summary", "audit", audit(A), audit(A, summary='{"total":3,"dirty":1,"new":{"a":1}}')),
    ("summary: unset", "audit", audit(A), audit(A, summary='{"dirty":0}')),
    ("summary: another order", "audit", audit(A), audit(A, summary='{"dirty":0,"total":3}')),
    ("summary: a key twice", "audit", audit(A), audit(A, summary='{"total":3,"total":4}')),
    (
        "summary: appears",
        "audit",
        audit(A).replace('"summary"', '"x"'),
        audit(A).replace('"summary"', '"x"')[:-1] + ',"summary":{"total":1}}',
    ),
    ("summary: goes", "audit", audit(A), audit(A).replace('"summary":{"total":3,"dirty":0},', "")),
    ("removed", "audit", audit(A, B, C), audit(A, C)),
    ("removed: all", "audit", audit(A, B, C), audit()),
    ("added: to none", "audit", audit(), audit(A, B)),
    ("added: first, middle and last", "audit", audit(B, C), audit(A, B, repo("x"), C, D)),
    ("moved: to the front", "audit", audit(A, B, C, D), audit(D, A, B, C)),
    ("moved: to the end", "audit", audit(A, B, C, D), audit(B, C, D, A)),
    ("moved: reversed", "audit", audit(A, B, C), audit(C, B, A)),
    ("moved and changed", "audit", audit(A, B, C, D), audit(repo("d", "dirty"), A, B, C)),
    ("changed: status", "audit", audit(A, B, C), audit(A, repo("b", "dirty"), C)),
    ("changed: a field only", "audit", audit(A, B), audit(A, repo("b", more=',"ahead":2'))),
    ("changed: a field goes", "audit", audit(repo("a", more=',"ahead":2')), audit(A)),
    ("changed: order of keys", "audit", audit(A), audit('{"status":"clean","name":"a","local_path":"/srv/1"}')),
    ("changed: a key twice", "audit", audit(A), audit(TWICE)),
    ("changed: an escaped key", "audit", audit(A), audit('{"name":"a","status":"clean","\\u0061":1}')),
    ("changed: older producers' repos", "audit", audit(OLD), audit(OLD.replace("false", "true"))),
    ("changed: an older producer's gets a status", "audit", audit(OLD), audit('{"name":"old","status":"missing"}')),
    (
        "removed, moved, added and changed",
        "audit",
        audit(A, B, C, D, repo("e")),
        audit(repo("e", "dirty"), A, repo("x"), repo("c", "mismatched"), D, **LATER),
    ),
    ("the same name twice", "audit", audit(A, A, B), audit(A, repo("a", "dirty"), B)),
    ("the same name twice: the second goes", "audit", audit(A, B, A), audit(A, B)),
    ("renamed", "audit", audit(A, B), audit(A, repo("bb"))),
    (
        "numbers keep their form",
        "audit",
        audit(repo("a", more=',"n":1')),
        audit(repo("a", more=',"n":1.0,"m":1e3,"l":-0,"k":12345678901234567890123,"j":1E+400')),
    ),
    (
        "escapes keep their form",
        "audit",
        audit(repo("a", more=',"p":"é/"')),
        audit(repo("a", more=',"p":"\\u00e9\\/","q":"\\u00E9\\ud83d\\ude00"')),
    ),
    (
        "unicode",
        "audit",
        audit(repo("é\U0001f600\u2028")),
        audit(repo("é\U0001f600\u2028", "dirty", ',"naïve":"日本"')),
    ),
    ("names to be escaped", "audit", audit(repo('a"\\\n'), B), audit(repo('a"\\\n', "dirty"), B)),
    (
        "names of objects' own",
        "audit",
        audit(repo("__proto__")),
        audit(repo("__proto__", "dirty", ',"__proto__":{"x":1},"constructor":1')),
    ),
    ("keys that look like numbers", "audit", audit(A, more=',"x":1'), audit(A, more=',"x":1,"9":1,"8":2')),
    ("generic: equal object", "generic", generic(), generic()),
    ("generic: equal array", "generic", array(), array()),
    (
        "merge patch: set and added",
        "generic",
        generic('"a":1,"b":{"c":2,"d":3}'),
        generic('"a":1.0,"b":{"c":2,"d":4,"e":[1,null]}'),
    ),
    ("merge patch: removed", "generic", generic('"a":1,"b":{"c":2,"d":3}'), generic('"b":{"c":2}')),
    ("merge patch: an object for a number", "generic", generic('"a":1'), generic('"a":{"b":{"c":"x"}}')),
    ("merge patch: an emptied object", "generic", generic('"a":{"b":1}'), generic('"a":{}')),
    ("json patch: null is set", "generic", generic('"a":1'), generic('"a":null')),
    ("json patch: null in an added object", "generic", generic('"a":1'), generic('"a":1,"b":{"c":null}')),
    (
        "json patch: in a long array",
        "generic",
        generic(f'"a":{json.dumps(list(range(40)))}'.replace(" ", "")),
        generic(f'"a":{json.dumps([*range(20), 99, *range(21, 40)])}'.replace(" ", "")),
    ),
    ("json patch: keys with ~ and /", "generic", array('{"a/b":{"~":1,"":2}}'), array('{"a/b":{"~":null,"":3}}')),
    (
        "json patch: array grows and shrinks",
        "generic",
        array("1", "2", "3", "4", "5"),
        array("2", "7", "8", "3", "5", "6"),
    ),
    ("json patch: same items twice", "generic", array("1", "1", "2", "1"), array("1", "2", "1", "1", "1")),
    ("json patch: order of keys in an item", "generic", array('{"a":1,"b":2}'), array('{"b":2,"a":1}')),
    ("json patch: a key twice", "generic", generic('"a":{"x":1,"x":1}'), generic('"a":{"x":1,"x":2}')),
    (
        "json patch: unicode in path and value",
        "generic",
        array('{"é\U0001f600":"\\u00e9"}'),
        array('{"é\U0001f600":"é"}'),
    ),
]


def merged(patch: str) -> str:
    """Give a merge patch as a delta."""
    return f'{{"format":"merge-patch","patch":{patch}}}'


def patched(*operations: dict[str, Any] | str) -> str:
    """Give a JSON patch as a delta."""
    texts = [each if isinstance(each, str) else json.dumps(each, separators=(",", ":")) for each in operations]
    return f'{{"format":"json-patch","patch":[{",".join(texts)}]}}'


# name, kind, before, delta: RFC 7386, appendix A
APPLIED: list[tuple[str, str, str, str]] = [
    (f"RFC 7386, appendix A, {number}", "generic", before, merged(patch))
    for number, (before, patch) in enumerate(
        [
            ('{"a":"b"}', '{"a":"c"}'),
            ('{"a":"b"}', '{"b":"c"}'),
            ('{"a":"b"}', '{"a":null}'),
            ('{"a":"b","b":"c"}', '{"a":null}'),
            ('{"a":["b"]}', '{"a":"c"}'),
            ('{"a":"c"}', '{"a":["b"]}'),
            ('{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}'),
            ('{"a":[{"b":"c"}]}', '{"a":[1]}'),
            ('["a","b"]', '["c","d"]'),
            ('{"a":"b"}', '["c"]'),
            ('{"a":"foo"}', "null"),
            ('{"a":"foo"}', '"bar"'),
            ('{"e":null}', '{"a":1}'),
            ("[1,2]", '{"a":"b","c":null}'),
            ("{}", '{"a":{"bb":{"ccc":null}}}'),
        ],
        1,
    )
] + [
    ("RFC 6902, A.1", "generic", '{"foo":"bar"}', patched({"op": "add", "path": "/baz", "value": "qux"})),
    ("RFC 6902, A.2", "generic", '{"foo":["bar","baz"]}', patched({"op": "add", "path": "/foo/1", "value": "qux"})),
    ("RFC 6902, A.3", "generic", '{"baz":"qux","foo":"bar"}', patched({"op": "remove", "path": "/baz"})),
    ("RFC 6902, A.4", "generic", '{"foo":["bar","qux","baz"]}', patched({"op": "remove", "path": "/foo/1"})),
    (
        "RFC 6902, A.5",
        "generic",
        '{"baz":"qux","foo":"bar"}',
        patched({"op": "replace", "path": "/baz", "value": "boo"}),
    ),
    (
        "RFC 6902, A.10",
        "generic",
        '{"foo":"bar"}',
        patched({"op": "add", "path": "/child", "value": {"grandchild": {}}}),
    ),
    ("RFC 6902, A.11", "generic", '{"foo":"bar"}', patched({"op": "add", "path": "/baz", "value": "qux", "xyz": 123})),
    (
        "RFC 6902, A.14, with replace",
        "generic",
        '{"/":9,"~1":10}',
        patched({"op": "replace", "path": "/~01", "value": 11}),
    ),
    ("RFC 6902, A.16", "generic", '{"foo":["bar"]}', patched({"op": "add", "path": "/foo/-", "value": ["abc", "def"]})),
    ("json patch: the whole", "generic", "[1]", patched({"op": "replace", "path": "", "value": {"a": 1}})),
    (
        "json patch: add over a member keeps its place",
        "generic",
        '{"a":1,"b":2}',
        patched({"op": "add", "path": "/a", "value": 3}),
    ),
    ("json patch: an empty key", "generic", '{"":{"":1}}', patched({"op": "replace", "path": "//", "value": 2})),
    (
        "json patch: steps see those before",
        "generic",
        "[]",
        patched(
            {"op": "add", "path": "/0", "value": {}},
            {"op": "add", "path": "/0/a", "value": 1},
            {"op": "add", "path": "/0/b", "value": 2},
            {"op": "remove", "path": "/0/a"},
        ),
    ),
    (
        "json patch: a key that is written with escapes",
        "generic",
        '{"\\u0061":{"\\/":1},"b":2}',
        patched({"op": "replace", "path": "/a/~1", "value": 2}),
    ),
    (
        "merge patch: a key that is written with escapes",
        "generic",
        '{"\\u0061":1,"b":2}',
        merged('{"a":2,"\\u0062":3,"\\u0063":4}'),
    ),
    (
        "unset before set",
        "audit",
        '{"timestamp":"","x":1,"repos":[]}',
        '{"format":"repos","set":{"x":2},"unset":["x"]}',
    ),
    (
        "repos in any order",
        "audit",
        f'{{"timestamp":"","repos":[{A},{B}]}}',
        '{"format":"repos","added":[{"at":3,"repo":{"name":"y","status":"x"}},{"at":0,"repo":{"name":"x","status":"x"}}]}',
    ),
]

SMALL = f'{{"timestamp":"","summary":{{"total":2}},"x":1,"repos":[{A},{B}]}}'
GONE = '{"at":0,"name":"a","status":"clean"}'

# name, body, delta
REFUSED: list[tuple[str, str, str]] = [
    ("empty", SMALL, ""),
    ("no JSON", SMALL, '{"format":"repos"'),
    ("bytes behind it", SMALL, '{"format":"repos"} x'),
    ("no object", SMALL, "[]"),
    ("no format", SMALL, "{}"),
    ("unknown format", SMALL, '{"format":"xdelta","patch":{}}'),
    ("unknown part", SMALL, '{"format":"repos","swapped":[]}'),
    ("no patch", SMALL, '{"format":"merge-patch"}'),
    ("unset what is not there", SMALL, '{"format":"repos","unset":["y"]}'),
    ("unset twice", SMALL, '{"format":"repos","unset":["x","x"]}'),
    ("set repos", SMALL, '{"format":"repos","set":{"repos":[]}}'),
    ("unset repos", SMALL, '{"format":"repos","unset":["repos"]}'),
    ("summary of none", '{"timestamp":"","repos":[]}', '{"format":"repos","summary":{"set":{"a":1}}}'),
    ("summary of a list", '{"timestamp":"","summary":[],"repos":[]}', '{"format":"repos","summary":{"set":{"a":1}}}'),
    ("unset in the summary what is not there", SMALL, '{"format":"repos","summary":{"unset":["y"]}}'),
    ("removed behind the end", SMALL, '{"format":"repos","removed":[{"at":2,"name":"a","status":"clean"}]}'),
    ("removed before the begin", SMALL, '{"format":"repos","removed":[{"at":-1,"name":"a","status":"clean"}]}'),
    ("removed twice", SMALL, f'{{"format":"repos","removed":[{GONE},{GONE}]}}'),
    ("removed and moved", SMALL, f'{{"format":"repos","removed":[{GONE}],"moved":[{{"from":0,"to":0,"name":"a"}}]}}'),
    ("moved behind the end", SMALL, '{"format":"repos","moved":[{"from":0,"to":2,"name":"a"}]}'),
    ("added behind the end", SMALL, '{"format":"repos","added":[{"at":3,"repo":{"name":"c","status":"x"}}]}'),
    ("added twice at a place", SMALL, '{"format":"repos","added":[{"at":0,"repo":{}},{"at":0,"repo":{}}]}'),
    (
        "added and moved to a place",
        SMALL,
        '{"format":"repos","moved":[{"from":1,"to":0,"name":"b"}],"added":[{"at":0,"repo":{}}]}',
    ),
    ("added that is no object", SMALL, '{"format":"repos","added":[{"at":0,"repo":1}]}'),
    (
        "changed behind the end",
        SMALL,
        '{"format":"repos","changed":[{"at":2,"name":"a","from":"x","to":"y","set":{"a":1}}]}',
    ),
    (
        "changed twice",
        SMALL,
        '{"format":"repos","changed":[{"at":0,"name":"a","from":"x","to":"y","set":{"a":1}},{"at":0,"name":"a","from":"x","to":"y","set":{"a":1}}]}',
    ),
    (
        "changed in part and as a whole",
        SMALL,
        '{"format":"repos","changed":[{"at":0,"name":"a","from":"x","to":"y","set":{"a":1},"repo":{}}]}',
    ),
    ("changed to no object", SMALL, '{"format":"repos","changed":[{"at":0,"name":"a","from":"x","to":"y","repo":[]}]}'),
    ("changed without from", SMALL, '{"format":"repos","changed":[{"at":0,"name":"a","to":"y","set":{"a":1}}]}'),
    (
        "an index as text",
        SMALL,
        '{"format":"repos","changed":[{"at":"0","name":"a","from":"x","to":"y","set":{"a":1}}]}',
    ),
    ("an index with a fraction", SMALL, '{"format":"repos","removed":[{"at":0.5,"name":"a","status":"clean"}]}'),
    ("a huge index", SMALL, '{"format":"repos","removed":[{"at":1e300,"name":"a","status":"clean"}]}'),
    ("a list that is null", SMALL, '{"format":"repos","removed":null}'),
    ("repos of an array", "[]", '{"format":"repos"}'),
    ("repos without a list", '{"timestamp":"","repos":{}}', '{"format":"repos","added":[{"at":0,"repo":{}}]}'),
    ("a key twice at the top", '{"timestamp":"","repos":[],"x":1,"x":1}', '{"format":"repos","set":{"x":1}}'),
    ("json patch: move", '{"a":1}', patched({"op": "move", "from": "/a", "path": "/b"})),
    ("json patch: test", '{"a":1}', patched({"op": "test", "path": "/a", "value": 1})),
    ("json patch: no object", '{"a":1}', '{"format":"json-patch","patch":{}}'),
    ("json patch: no value", '{"a":1}', patched({"op": "add", "path": "/b"})),
    ("json patch: no path", '{"a":1}', patched({"op": "remove"})),
    ("json patch: no pointer", '{"a":1}', patched({"op": "remove", "path": "a"})),
    ("json patch: ~ of nothing", '{"~2":1}', patched({"op": "remove", "path": "/~2"})),
    ("json patch: removes the whole", '{"a":1}', patched({"op": "remove", "path": ""})),
    ("json patch: removes what is not there", '{"a":1}', patched({"op": "remove", "path": "/b"})),
    ("json patch: replaces what is not there", '{"a":1}', patched({"op": "replace", "path": "/b", "value": 1})),
    ("json patch: through what is not there", '{"a":1}', patched({"op": "add", "path": "/b/c", "value": 1})),
    ("json patch: through a number", '{"a":1}', patched({"op": "add", "path": "/a/b", "value": 1})),
    ("json patch: index behind the end", "[1]", patched({"op": "add", "path": "/2", "value": 1})),
    ("json patch: index with a zero before", "[1,2]", patched({"op": "remove", "path": "/01"})),
    ("json patch: index below zero", "[1,2]", patched({"op": "remove", "path": "/-1"})),
    ("json patch: - is no item", "[1,2]", patched({"op": "remove", "path": "/-"})),
    ("json patch: a huge index", "[1,2]", patched({"op": "remove", "path": "/" + "9" * 5000})),
    ("json patch: a key twice on the way", '{"a":{"x":1,"x":2}}', patched({"op": "remove", "path": "/a/x"})),
    ("merge patch: a key twice on the way", '{"a":{"x":1,"x":2}}', merged('{"a":{"y":1}}')),
]

MIXED = audit(
    A,
    repo("b", "dirty"),
    OLD,
    repo("api-web", "missing"),
    repo("api-db"),
    more=',"tail":[1.0, "\\u00e9"]'.replace(" ", ""),
)

# name, body, statuses, names
VIEWED: list[tuple[str, str, list[str], list[str]]] = [
    ("nothing asked for", MIXED, [], []),
    ("a status", MIXED, ["dirty"], []),
    ("two statuses", MIXED, ["dirty", "missing"], []),
    ("older producers' state", MIXED, ["clean"], []),
    ("an unknown status", MIXED, ["gone"], []),
    ("a name", MIXED, [], ["b"]),
    ("names with *", MIXED, [], ["api-*", "*d"]),
    ("* in the middle", MIXED, [], ["a*b"]),
    ("* twice does not overlap", MIXED, [], ["api-*-web"]),
    ("any name", MIXED, [], ["*"]),
    ("a part of a name is none", MIXED, [], ["api"]),
    ("both", MIXED, ["clean"], ["api-*", "a"]),
    ("no repos", audit(), ["clean"], []),
    ("unicode", audit(repo("é\U0001f600"), B), [], ["é*"]),
    ("escaped name and status", audit('{"name":"\\u00e9","status":"\\u0063lean"}', B), ["clean"], ["é"]),
    ("other characters of patterns are plain", audit(repo("a.c"), repo("abc"), repo("[a]")), [], ["a.c", "[a]*"]),
    (
        "of a key twice the last one counts",
        '{"repos":[],"timestamp":"","repos":[{"name":"x","name":"a","status":"x"}]}',
        [],
        ["a"],
    ),
    (
        "white space is kept",
        '{ "timestamp" : "\\ud83d\\ude00" , "repos" : [ {"name": "a","status":"x" } , {"name":"b","status":"x"} ] }',
        [],
        ["a"],
    ),
    (
        "lone surrogates",
        '{ "timestamp":"\\ud800","repos":[{"name":"a\\udc00","status":"x"},{"name":"b","status":"x"}] }',
        [],
        ["b"],
    ),
]
