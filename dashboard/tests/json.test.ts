import { expect, test } from "vitest"
import { elements, members, put, split } from "../src/protocol/json.ts"

test.each([
  ["an object", '{"a":1.50,"b":{"c":[1,{}]}}', ['"a"', "1.50", '"b"', '{"c":[1,{}]}']],
  ["an array", '[1e3,"x",[2,3],{"a":4}]', ["1e3", '"x"', "[2,3]", '{"a":4}']],
  ["strings that look like structure", String.raw`["]\\","\"}",","]`, [String.raw`"]\\"`, String.raw`"\"}"`, '","']],
  ["an empty object", "{ }", []],
  ["an empty array", "[]", []],
  ["one empty string", '[""]', ['""']],
  ["white space, which is kept", '{"a": 1 ,"b":2\n}', ['"a"', " 1 ", '"b"', "2\n"]],
  ["what has no parts", '"[1,2]"', []],
])("splits %s into texts", (_, text, parts) => {
  expect(split(text)).toEqual(parts)
})

test("members are found by what their keys stand for, in the order of the text", () => {
  const found = members(String.raw`{ "10": 1, "2": 2, "\u0061/\n": 3, "__proto__": 4 }`)

  expect([...found].map(([name, { value }]) => [name, value])).toEqual([
    ["10", "1"],
    ["2", "2"],
    ["a/\n", "3"],
    ["__proto__", "4"],
  ])
})

test("an object in which a key stands twice is refused, however it is written", () => {
  expect(() => members(String.raw`{"a":1,"b":2,"\u0061":3}`)).toThrow("stands twice")
})

test("elements stand without the white space around them", () => {
  expect(elements("[ 1 , [ 2 ] ]")).toEqual(["1", "[ 2 ]"])
})

test("a member that is set keeps its place and its key as written", () => {
  const object = members(String.raw`{"\u0061":1,"b":2}`)

  put(object, "a", "3")
  put(object, "c", "4")

  expect([...object.values()].map(({ key, value }) => key + value)).toEqual([String.raw`"\u0061"3`, '"b"2', '"c"4'])
})
