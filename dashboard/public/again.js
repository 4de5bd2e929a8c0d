/*
 * While one build of the gateway replaces another, the page's document may come from one, and what it loads be asked of the
 * other, which does not have it; or the gateway ends in between. Nothing else of the page runs then that could try again.
 */
{
  const MEMORY = "reportcast.again"
  let tries = 0
  try {
    tries = Number(sessionStorage.getItem(MEMORY)) || 0
  } catch {
    // A tab that keeps nothing tries as often as at first.
  }
  let timer = 0

  function keep(count) {
    try {
      if (count) sessionStorage.setItem(MEMORY, count)
      else sessionStorage.removeItem(MEMORY)
    } catch {
      // As above.
    }
  }

  // At random, for everybody who looked at that gateway is here; and less and less often, if it is no matter of time.
  const later = () => setTimeout(again, (1000 + 2000 * Math.random()) * 2 ** Math.min(tries, 6))

  async function again() {
    keep(++tries)
    // As a window asks: at a report's link to a repository others are given no page.
    const answer = fetch(document.URL, { cache: "no-store", headers: { Accept: "text/html" } })
    const isThere = await answer.then(
      ({ ok }) => ok,
      () => false,
    )
    if (isThere) location.reload()
    else timer = later()
  }

  function failed({ target }) {
    if (timer || !target.matches?.("head > script, head > link[rel='stylesheet']")) return
    timer = later()
    const root = document.getElementById("root")
    if (!root || root.firstElementChild) return
    root.setAttribute("role", "status")
    root.textContent = "The page could not be loaded whole; it is tried again…"
  }

  // It does not bubble.
  addEventListener("error", failed, true)
  addEventListener("load", () => timer || keep(0))
}
