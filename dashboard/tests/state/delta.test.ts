import { expect, test } from "vitest"
import { changesBetween } from "../../src/state/changes.ts"
import { applyRepos } from "../../src/state/delta.ts"
import { readReport } from "../../src/state/report.ts"
import { golden } from "../golden.ts"

interface Case {
  name: string
  kind: string
  before: string
  after: string
  delta: string | null
}

const cases = golden<Case>("deltas").filter(({ delta }) => delta && JSON.parse(delta).format === "repos")

test.each(cases)("a delta gives what parsing the whole report gives: $name", ({ before, after, delta }) => {
  const old = readReport(JSON.parse(before), null, 1)

  const report = applyRepos(old, delta as string, 2)

  const whole = readReport(JSON.parse(after), old, 2)
  expect(report).toEqual(whole)
  expect(report?.repos.map((repo) => old.repos.includes(repo))).toEqual(
    whole.repos.map((repo) => old.repos.includes(repo)),
  )
})

test("only what changed is another object", () => {
  const names = Array.from({ length: 10_000 }, (_, at) => ({ name: `repo ${at}`, status: "clean" }))
  const old = readReport({ timestamp: "", repos: names }, null, 1)
  const changes = {
    format: "repos",
    changed: [{ at: 7, name: "repo 7", from: "clean", to: "dirty", set: { status: "dirty" } }],
  }

  const report = applyRepos(old, JSON.stringify(changes), 2)

  expect(report?.repos.filter((repo, at) => repo !== old.repos[at])).toMatchObject([{ name: "repo 7", changedAt: 2 }])
  expect(report?.keys).toBe(old.keys)
  expect(report && changesBetween(old, report)).toMatchObject([{ name: "repo 7", from: "clean", to: "dirty" }])
})

test("a name that JavaScript knows otherwise is a name", () => {
  const old = readReport({ timestamp: "", repos: [{ name: "__proto__", status: "clean" }] }, null, 1)
  const set = '{"__proto__":{"polluted":true},"status":"dirty"}'
  const changes = `{"format":"repos","changed":[{"at":0,"name":"__proto__","from":"clean","to":"dirty","set":${set}}]}`

  const report = applyRepos(old, changes, 2)

  expect(report?.repos[0]?.status).toBe("dirty")
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  expect(Object.getPrototypeOf(report?.repos[0]?.fields)).toBe(Object.prototype)
})
