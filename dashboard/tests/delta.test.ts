import { expect, test } from "vitest"
import { apply, DeltaError } from "../src/protocol/delta.ts"
import { golden } from "./golden.ts"

const repo = (name: string, status = "clean", more = "") => `{"name":"${name}","status":"${status}"${more}}`
const report = (...repos: string[]) => `{"timestamp":"t1","summary":{"dirty":1},"repos":[${repos.join(",")}],"n":1.50}`
const ABC = report(repo("a"), repo("b"), repo("c"))

test.each([
  ["nothing", "{}", ABC],
  [
    "top level",
    '{"set":{"timestamp":"t2","new":1e2},"unset":["n"]}',
    ABC.replace('t1"', 't2"').replace(',"n":1.50', ',"new":1e2'),
  ],
  ["summary", '{"summary":{"set":{"dirty":2.0},"unset":[]}}', ABC.replace('{"dirty":1}', '{"dirty":2.0}')],
  ["removed", '{"removed":[{"at":1,"name":"b","status":"clean"}]}', report(repo("a"), repo("c"))],
  ["moved", '{"moved":[{"from":0,"to":2,"name":"a"}]}', report(repo("b"), repo("c"), repo("a"))],
  ["added", `{"added":[{"at":1,"repo":${repo("x")}}]}`, report(repo("a"), repo("x"), repo("b"), repo("c"))],
  [
    "changed",
    '{"changed":[{"at":1,"name":"b","from":"clean","to":"dirty","set":{"status":"dirty","x":[1.0]}}]}',
    report(repo("a"), repo("b", "dirty", ',"x":[1.0]'), repo("c")),
  ],
  [
    "whole repository",
    `{"changed":[{"at":2,"name":"c","from":"clean","to":"dirty","repo":${repo("c", "dirty")}}]}`,
    report(repo("a"), repo("b"), repo("c", "dirty")),
  ],
  [
    "all at once",
    `{"removed":[{"at":1,"name":"b","status":"clean"}],"moved":[{"from":2,"to":0,"name":"c"}],"added":[{"at":1,"repo":${repo("x")}}],"changed":[{"at":0,"name":"c","from":"clean","to":"dirty","set":{"status":"dirty"}}]}`,
    report(repo("c", "dirty"), repo("x"), repo("a")),
  ],
])("applies a delta of an audit report: %s", (_, parts, after) => {
  expect(apply(`{"format":"repos",${parts.slice(1)}`.replace(",}", "}"), ABC)).toBe(after)
})

test("leaves what it does not change as it is written", () => {
  const odd = String.raw`{"name":"a","\u0073tatus":"clean","x":1,"x":2}`
  const body = report(odd, repo("b"), String.raw`{"n\u0061me":"c","status":"clean"}`)
  const changed = '{"at":2,"name":"c","from":"clean","to":"dirty","set":{"name":"d"}}'

  expect(apply(`{"format":"repos","moved":[{"from":0,"to":1,"name":"a"}],"changed":[${changed}]}`, body)).toBe(
    report(repo("b"), odd, String.raw`{"n\u0061me":"d","status":"clean"}`),
  )
})

test("a merge patch of 64 levels is followed", () => {
  const deep = `${'{"a":'.repeat(64)}1${"}".repeat(64)}`

  expect(apply(`{"format":"merge-patch","patch":${deep}}`, "{}")).toBe(deep)
})

/** Appendix A of RFC 7386. */
test.each([
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', "{}"],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', "null", "null"],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ["[1,2]", '{"a":"b","c":null}', '{"a":"b"}'],
  ["{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
])("merges into %s the patch %s", (before, patch, after) => {
  expect(apply(`{"format":"merge-patch","patch":${patch}}`, before)).toBe(after)
})

test.each([
  ['{"a":1}', '{"op":"add","path":"/b","value":2.0}', '{"a":1,"b":2.0}'],
  ['{"a":1,"b":2}', '{"op":"add","path":"/a","value":3}', '{"a":3,"b":2}'],
  ["[1,3]", '{"op":"add","path":"/1","value":2}', "[1,2,3]"],
  ["[1,2]", '{"op":"add","path":"/2","value":3}', "[1,2,3]"],
  ["[1]", '{"op":"add","path":"/-","value":[2]}', "[1,[2]]"],
  ["[]", '{"op":"add","path":"/-","value":1}', "[1]"],
  ['{"a":[{"b":1}]}', '{"op":"replace","path":"/a/0/b","value":null}', '{"a":[{"b":null}]}'],
  ['{"a":[1,2,3]}', '{"op":"remove","path":"/a/1"}', '{"a":[1,3]}'],
  ['{"a":1,"b":2}', '{"op":"remove","path":"/a"}', '{"b":2}'],
  ['{"a/b":{"m~n":1}}', '{"op":"replace","path":"/a~1b/m~0n","value":2}', '{"a/b":{"m~n":2}}'],
  ['{"~1":1}', '{"op":"replace","path":"/~01","value":2}', '{"~1":2}'],
  ['{"":1}', '{"op":"replace","path":"/","value":2}', '{"":2}'],
  ['{"a":1}', '{"op":"replace","path":"","value":[]}', "[]"],
  ['{"-":1}', '{"op":"replace","path":"/-","value":2}', '{"-":2}'],
  ["[1,2]", '{"op":"remove","path":"/0"},{"op":"replace","path":"/0","value":3}', "[3]"],
])("patches %s by %s", (before, operations, after) => {
  expect(apply(`{"format":"json-patch","patch":[${operations}]}`, before)).toBe(after)
})

const REMOVED = '{"at":0,"name":"a","status":"clean"}'
const CHANGED = '{"at":0,"name":"a","from":"clean","to":"clean"'
const DEEP = 100_000

test.each([
  ["no JSON", "{"],
  ["no object", "[]"],
  ["no format", "{}"],
  ["another format", '{"format":"xor"}'],
  ["no patch", '{"format":"merge-patch"}'],
  ["a patch that is no list", '{"format":"json-patch","patch":{}}'],
  ["another operation", '{"format":"json-patch","patch":[{"op":"move","path":"/n","from":"/x"}]}'],
  ["an operation without value", '{"format":"json-patch","patch":[{"op":"add","path":"/n"}]}'],
  ["a path that is no pointer", '{"format":"json-patch","patch":[{"op":"add","path":"n","value":1}]}'],
  ["a wrong escape", '{"format":"json-patch","patch":[{"op":"add","path":"/~2","value":1}]}'],
  ["a member that is not there", '{"format":"json-patch","patch":[{"op":"replace","path":"/x","value":1}]}'],
  ["a parent that is not there", '{"format":"json-patch","patch":[{"op":"add","path":"/x/y","value":1}]}'],
  ["a path into a number", '{"format":"json-patch","patch":[{"op":"add","path":"/n/y","value":1}]}'],
  ["an element beyond the end", '{"format":"json-patch","patch":[{"op":"add","path":"/repos/4","value":1}]}'],
  ["an element with leading zero", '{"format":"json-patch","patch":[{"op":"remove","path":"/repos/01"}]}'],
  ["the element after the last", '{"format":"json-patch","patch":[{"op":"remove","path":"/repos/-"}]}'],
  ["all removed", '{"format":"json-patch","patch":[{"op":"remove","path":""}]}'],
  ["a member to unset that is not there", '{"format":"repos","unset":["x"]}'],
  ["a set that is no object", '{"format":"repos","set":[]}'],
  ["one removed twice", `{"format":"repos","removed":[${REMOVED},${REMOVED}]}`],
  ["removed and moved", `{"format":"repos","removed":[${REMOVED}],"moved":[{"from":0,"to":0,"name":"a"}]}`],
  ["an index beyond the end", '{"format":"repos","removed":[{"at":3,"name":"a","status":"clean"}]}'],
  ["an index that is none", '{"format":"repos","removed":[{"at":-1,"name":"a","status":"clean"}]}'],
  ["a missing name", '{"format":"repos","removed":[{"at":0,"status":"clean"}]}'],
  ["a place beyond the end", '{"format":"repos","added":[{"at":9,"repo":{"name":"x"}}]}'],
  ["two at one place", '{"format":"repos","added":[{"at":0,"repo":{}},{"at":0,"repo":{}}]}'],
  ["a repository that is no object", '{"format":"repos","added":[{"at":0,"repo":7}]}'],
  ["a change beyond the end", '{"format":"repos","changed":[{"at":3,"name":"a","from":"x","to":"y","set":{}}]}'],
  ["one changed twice", `{"format":"repos","changed":[${CHANGED}},${CHANGED}}]}`],
  ["one changed in part and as a whole", `{"format":"repos","changed":[${CHANGED},"set":{},"repo":{}}]}`],
  ["an unknown member", '{"format":"repos","later":1}'],
  ["an unknown member of an entry", `{"format":"repos","changed":[${CHANGED},"later":1}]}`],
  ["an unknown member of a patch", '{"format":"merge-patch","patch":{},"later":1}'],
  ["repos as a whole", '{"format":"repos","set":{"repos":[]}}'],
  ["without repos", '{"format":"repos","unset":["repos"]}'],
  ["a key that stands twice", '{"format":"merge-patch","patch":{"n":1,"n":2}}'],
  [
    "too many operations",
    `{"format":"json-patch","patch":[${Array(10_001).fill('{"op":"add","path":"/n","value":1}')}]}`,
  ],
  ["a path too long", `{"format":"json-patch","patch":[{"op":"add","path":"${"/a".repeat(65)}","value":1}]}`],
  ["too deep", `{"format":"merge-patch","patch":${'{"a":'.repeat(DEEP)}1${"}".repeat(DEEP)}}`],
])("refuses a delta: %s", (_, delta) => {
  expect(() => apply(delta, ABC)).toThrow(DeltaError)
})

test.each(golden<Record<"name" | "before" | "after" | "delta", string>>("deltas"))(
  "golden: $name",
  ({ before, after, delta }) => {
    expect(apply(delta, before)).toBe(after)
  },
)

test.each(golden<Record<"name" | "body" | "delta", string>>("refused"))("golden, refused: $name", ({ body, delta }) => {
  expect(() => apply(delta, body)).toThrow(DeltaError)
})

test("deltas one after the other, of which each is of what the last one made, do not disturb each other", () => {
  const change = (at: number, name: string, set: string) =>
    `{"format":"repos","summary":{"set":{"dirty":2}},"changed":[{"at":${at},"name":"${name}","from":"clean","to":"dirty","set":${set}}]}`

  const first = apply(change(0, "a", '{"status":"dirty"}'), ABC)
  const second = apply(change(0, "a", '{"x":1}'), first)
  const again = apply(change(2, "c", '{"status":"dirty"}'), first)

  expect(second).toBe(report(repo("a", "dirty", ',"x":1'), repo("b"), repo("c")).replace('"dirty":1', '"dirty":2'))
  expect(again).toBe(report(repo("a", "dirty"), repo("b"), repo("c", "dirty")).replace('"dirty":1', '"dirty":2'))
  expect(() => apply(change(3, "d", "{}"), again)).toThrow(DeltaError)
  expect(apply(change(1, "b", "{}"), again)).toBe(again)
})
