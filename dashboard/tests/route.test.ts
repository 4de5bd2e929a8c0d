import { expect, test } from "vitest"
import { fromDeepLink, hashOf, parseRoute } from "../src/route.ts"

const ROOT = "https://host/below/"

test.each([
  ["below/audit/nas?action=view", "below/#/repositories/nas"],
  ["below/audit/a%2Fb%20c?action=view&channel=x", "below/?channel=x#/repositories/a%2Fb%20c"],
  ["below/audit/nas?action=view&access_token=t", "below/?access_token=t#/repositories/nas"],
  ["below/?repo=nas&action=view", "below/#/repositories/nas"],
  ["below/?at=2026-11-23T12:00:00Z.json", "below/#/timeline?at=2026-11-23T12%3A00%3A00Z.json"],
  ["below/latency?channel=x", "below/?channel=x#/latency"],
  ["below/timeline?at=x.json&kiosk=", "below/?kiosk=#/timeline?at=x.json"],
  ["below/repositories?status=dirty&status=missing", "below/#/repositories?status=dirty&status=missing"],
])("the deep link %s leads to %s", (link, place) => {
  expect(fromDeepLink(`https://host/${link}`, ROOT)).toBe(`https://host/${place}`)
})

test.each(["below/", "below/?channel=x#/timeline", "below/audit/a/b", "elsewhere/audit/nas"])(
  "%s is none",
  (address) => {
    expect(fromDeepLink(`https://host/${address}`, ROOT)).toBeNull()
  },
)

test("a place is read as it was written, whatever the name", () => {
  const name = "a/../?b#c%&\u202e<i>"
  const { page, rest, params } = parseRoute(hashOf("repositories", { status: ["dirty", "missing"], q: "x&y" }, name))

  expect([page, rest, params.getAll("status"), params.get("q")]).toEqual([
    "repositories",
    name,
    ["dirty", "missing"],
    "x&y",
  ])
})

test("an address that nobody made is no error", () => {
  expect(parseRoute("#/repositories/%E0%A4%A")).toMatchObject({ page: "repositories", rest: null })
})

test("half a surrogate pair, which no address can hold, is no error", () => {
  expect(parseRoute(hashOf("repositories", {}, "bad\ud800name \u{1f4a1}")).rest).toBe("bad\ufffdname \u{1f4a1}")
})
