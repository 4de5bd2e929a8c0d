import { expect, test } from "vitest"
import { arrange, type Wish } from "../../src/state/arrange.ts"
import { readReport } from "../../src/state/report.ts"
import { audit } from "../support/fake-client.ts"

const ALL: Wish = { search: "", statuses: [], sort: "attention", group: "none" }
const report = readReport(
  audit({ "repo 10": "clean", "repo 9": "clean", odd: "unreadable", lost: "missing", b: "dirty" }),
  null,
  0,
)

function shown(wish: Partial<Wish>): string[] {
  return arrange(report, { ...ALL, ...wish }).rows.map((row) =>
    row.kind === "group" ? `[${row.name}]` : row.repo.name,
  )
}

test("what needs somebody comes first, then names as people sort them", () => {
  expect(shown({})).toEqual(["lost", "odd", "b", "repo 9", "repo 10"])
})

test("all words have to be found, in the name, state or place", () => {
  expect(shown({ search: " REPO  srv" })).toEqual(["repo 9", "repo 10"])
  expect(shown({ search: "unread" })).toEqual(["odd"])
})

test("states filter, and groups have their number", () => {
  expect(shown({ statuses: ["dirty", "missing"], sort: "name" })).toEqual(["b", "lost"])
  expect(shown({ group: "status" })).toEqual([
    "[missing]",
    "lost",
    "[unreadable]",
    "odd",
    "[dirty]",
    "b",
    "[clean]",
    "repo 9",
    "repo 10",
  ])
  expect(shown({ group: "folder" })[0]).toBe("[/srv]")
})
