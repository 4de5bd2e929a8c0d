/** Pages whose code comes when it is needed, or when nothing else does. */

import { type ComponentType, lazy, Suspense, useState } from "react"
import { isReplaced } from "../root.ts"

interface Module {
  readonly default: ComponentType
}

/** The gateway does not serve the code any more that this page would need. */
export class ReplacedError extends Error {
  override name = "ReplacedError"
  constructor() {
    super("A new version of it is served.")
  }
}

export interface Code {
  /** The page, once its code is here. */
  page: ComponentType | null
  /** @throws ReplacedError, or what the browser says of code that it could not have. */
  readonly fetch: () => Promise<Module>
}

/** Give the code that `load` imports. */
export function makeCode(load: () => Promise<Module>): Code {
  const code: Code = {
    page: null,
    async fetch() {
      const module = await load().catch(async (error: unknown) => {
        throw (await isReplaced()) ? new ReplacedError() : error
      })
      code.page = module.default
      return module
    },
  }
  return code
}

/** Show a page. What could not be had of it is asked for again when this is mounted again. */
export function Later({ code }: { code: Code }) {
  // Not one for all times: React keeps what a lazy component came to, also that it failed.
  const [Page] = useState(() => code.page ?? lazy(code.fetch))
  return (
    <Suspense fallback={<p className="p-10 text-center text-quiet">Loading…</p>}>
      <Page />
    </Suspense>
  )
}
