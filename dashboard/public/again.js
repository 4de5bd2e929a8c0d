/*
 * While one build of the gateway replaces another, the page's document may come from one, and what it loads be asked of the
 * other, which does not have it; or the gateway ends in between. Nothing else of the page runs then that could try again.
 */
{
  let timer = 0
  // At random, for everybody who looked at that gateway is here.
  const later = () => setTimeout(again, 1000 + 2000 * Math.random())

  async function again() {
    const isThere = await fetch(document.URL, { cache: "no-store" }).then(
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
    if (root && !root.firstElementChild) root.textContent = "The page could not be loaded whole; it is tried again…"
  }

  // It does not bubble.
  addEventListener("error", failed, true)
}
