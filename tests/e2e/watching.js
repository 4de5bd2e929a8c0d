// Runs before the page's own script: notes what a test cannot see afterwards.
window.e2e = { situations: [], violations: [] }
document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  window.e2e.violations.push(`${violatedDirective} ${blockedURI}`),
)
// Each situation of the connection in turn, as the page tells it: its word, and how it is connected.
new MutationObserver(() => {
  const details = document.querySelector("section[aria-label=Connection]")
  if (!details) return
  const transport = [...details.querySelectorAll("dt")].find((each) => each.textContent === "Transport")
  const now = `${details.querySelector("h2").textContent} ${transport ? transport.nextSibling.textContent : "-"}`
  if (window.e2e.situations.at(-1) !== now) window.e2e.situations.push(now)
}).observe(document, { subtree: true, childList: true, characterData: true })
