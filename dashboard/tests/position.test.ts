import { expect, test } from "vitest"
import { classify } from "../src/protocol/position.ts"

test.each([
  [{ epoch: "a", offset: 4 }, "next"],
  [{ epoch: "a", offset: 3 }, "duplicate"],
  [{ epoch: "a", offset: 1 }, "duplicate"],
  [{ epoch: "a", offset: 5 }, "gap"],
  [{ epoch: "b", offset: 4 }, "new epoch"],
])("a reader at a/3 knows what %o means: %s", (incoming, continuity) => {
  expect(classify({ epoch: "a", offset: 3 }, incoming)).toBe(continuity)
})
