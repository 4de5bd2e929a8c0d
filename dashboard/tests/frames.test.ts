import { expect, test } from "vitest"
import { verify } from "../src/protocol/digest.ts"
import { type ClientFrame, parseFrame } from "../src/protocol/frames.ts"
import { golden } from "./golden.ts"

interface Case {
  name: string
  type: string
  frame: string
}

const TO_SERVER: Record<string, ClientFrame> = {
  follow: { type: "follow", channel: "audit" },
  "follow from a position": { type: "follow", channel: "audit", epoch: "1b65fea20ca22296", offset: 4 },
  "follow a view": { type: "follow", channel: "audit", statuses: ["dirty", "missing"], names: ["web-*"] },
  "follow the first channel": { type: "follow" },
  unfollow: { type: "unfollow", channel: "audit" },
  ping: { type: "ping" },
  "request-update": { type: "request-update", channel: "audit" },
}

const cases = golden<Case>("frames")
const fromServer = cases.filter(({ name }) => !(name in TO_SERVER))
const whole = fromServer.filter(({ type }) => type === "snapshot")

test.each(fromServer)("reads $name", ({ type, frame }) => {
  const { data: _, changes: __, ...fields } = JSON.parse(frame)

  expect(parseFrame(frame)).toMatchObject({ ...fields, type })
})

test.each(whole)("keeps the text of the report: $name", async ({ frame }) => {
  const snapshot = parseFrame(frame)

  if (snapshot.type !== "snapshot") throw new Error(snapshot.type)
  expect(frame).toContain(`"data":${snapshot.data}}`)
  expect(await verify(snapshot.data, snapshot.digest)).toBe(true)
})

test.each(golden<Record<"name" | "view" | "digest", string>>("views"))(
  "keeps the text of a view: $name",
  async ({ view, digest }) => {
    const fields = JSON.stringify({ ...JSON.parse(whole[0]?.frame ?? ""), digest, data: undefined })

    const snapshot = parseFrame(`${fields.slice(0, -1)},"data":${view}}`)

    expect(snapshot).toMatchObject({ type: "snapshot", data: view })
    expect(await verify(view, digest)).toBe(true)
  },
)

test("keeps the text of a delta", () => {
  const changes = String.raw`{"format":"merge-patch","patch":{"n":1.50,"a":"\u00e9"}}`
  const frame = fromServer.find(({ type }) => type === "delta")?.frame.replace(/"changes":.*/, `"changes":${changes}}`)

  expect(parseFrame(frame)).toMatchObject({ type: "delta", changes })
})

test("what the client sends is what the golden frames say", () => {
  const expected = Object.fromEntries(cases.filter(({ name }) => name in TO_SERVER).map((c) => [c.name, c.frame]))

  expect(Object.fromEntries(Object.entries(TO_SERVER).map(([name, frame]) => [name, JSON.stringify(frame)]))).toEqual(
    expected,
  )
})

test.each(["later", "toString", "__proto__", "audit-update", "unknown", "malformed"])(
  "a frame of the unknown type %s is told as one",
  (of) => {
    expect(parseFrame(JSON.stringify({ type: of, data: {} }))).toEqual({ type: "unknown", of })
  },
)

test.each(["", "no JSON", "[]", "null", "7", "{}", '{"type":7}', '{"type":"heartbeat"', new ArrayBuffer(2), undefined])(
  "what is no frame is malformed: %o",
  (written) => {
    expect(parseFrame(written)).toMatchObject({ type: "malformed" })
  },
)

test.each(fromServer)("a field that is missing or wrong is named: $name", ({ type, frame }) => {
  const optional =
    {
      hello: ["paint_sample"],
      following: ["epoch", "offset", "reason"],
      snapshot: ["hops_ms"],
      delta: ["hops_ms"],
      status: ["source", "tag"],
      skipped: ["from"],
    }[type] ?? []
  const fields = JSON.parse(frame)
  for (const name of Object.keys(fields).filter((name) => name !== "type")) {
    const { [name]: _, ...without } = fields
    if (!optional.includes(name)) expectMalformed(without, name)
    if (name !== "data" && name !== "changes") expectMalformed({ ...fields, [name]: [7] }, name)
  }
})

function expectMalformed(fields: object, name: string): void {
  const parsed = parseFrame(JSON.stringify(fields))
  expect(parsed.type === "malformed" && parsed.message, name).toContain(`: ${name} is missing`)
}

test.each([
  ["offset", -1],
  ["offset", 1.5],
  ["offset", "4"],
  ["findings", [{ kind: "held" }]],
  ["findings", { length: 0 }],
  ["epoch", null],
])("a snapshot with the %s %o is malformed", (name, value) => {
  const fields = JSON.parse(whole[0]?.frame ?? "")

  expect(parseFrame(JSON.stringify({ ...fields, [name]: value }))).toMatchObject({ type: "malformed" })
})

test("fields of a later protocol are no reason to refuse a frame", () => {
  expect(parseFrame('{"type":"drain","retry_after_ms":500,"why":"deploy"}')).toMatchObject({ type: "drain" })
})
