/** Where the page begins: what is shared is made, connected, and shown. */

import "./index.css"
import { StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { App } from "./app.tsx"
import { connect } from "./client/index.ts"
import { SharedContext } from "./hooks/context.ts"
import { given, ROOT } from "./root.ts"
import { fromDeepLink } from "./route.ts"
import { makeGateway } from "./state/gateway.ts"
import { tellNews } from "./state/news.ts"
import { notify } from "./state/notification.ts"
import { measurePaints } from "./state/painted.ts"
import { recallPast } from "./state/past.ts"
import { makePreferences } from "./state/preferences.ts"
import { keepSeen } from "./state/seen.ts"
import { makeStore } from "./state/store.ts"
import { makeToasts } from "./state/toasts.ts"

const place = fromDeepLink(location.href, ROOT)
if (place) history.replaceState(null, "", place)

const words = given()
const preferences = makePreferences()
const toasts = makeToasts()
const client = connect({ url: ROOT, ...words })
// Who asked for no channel stays with the one that was given: another gateway may give another one.
const channel = () => words.channel ?? client.getFeed().follower.channel
const gateway = makeGateway(ROOT, { channel, token: words.token })
const store = makeStore(client)
const latencies = measurePaints(store, { gateway, share: () => client.getFeed().hello?.paint_sample ?? 0 })

const past = recallPast(store, gateway)
keepSeen(store, gateway)
tellNews(store, toasts, (text) => {
  if (preferences.get().notify) notify(text)
})
let { mode } = preferences.get()
client.setMode(mode)
preferences.subscribe(() => {
  if (mode === preferences.get().mode) return
  mode = preferences.get().mode
  client.setMode(mode)
})
client.start()

const shared = { client, store, gateway, toasts, preferences, latencies, past }
createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <SharedContext value={shared}>
      <App />
    </SharedContext>
  </StrictMode>,
)
