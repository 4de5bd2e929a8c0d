// Runs before the page's own script. Times are ms since 1970, by the clock that does not jump.
window.bench = { seen: {}, shownAt: null, frames: [] }
const now = () => performance.timeOrigin + performance.now()

// A message that is posted in a frame's callback is delivered after its paint.
function afterPaint(then) {
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      then(now())
    }
    port2.postMessage(null)
  })
}

// The changes whose numbers came into a row.
new MutationObserver((records) => {
  const found = new Set()
  for (const { target, addedNodes } of records) {
    for (const node of [target, ...addedNodes]) {
      if (node.textContent.length > 400) continue // not a row, but the whole list
      for (const [, change] of node.textContent.matchAll(/change (\d{6})/g)) found.add(Number(change))
    }
  }
  const fresh = [...found].filter((change) => !(change in window.bench.seen))
  for (const change of fresh) window.bench.seen[change] = null
  if (!fresh.length) return
  afterPaint((at) => {
    for (const change of fresh) window.bench.seen[change] = at
    window.bench.shownAt ??= at - performance.timeOrigin
  })
}).observe(document, { subtree: true, childList: true, characterData: true })

const frame = (at) => {
  window.bench.frames.push(at)
  requestAnimationFrame(frame)
}
window.bench.countFrames = () => {
  if (!window.bench.frames.length) requestAnimationFrame(frame)
  window.bench.frames.length = 1
  window.bench.frames[0] = performance.now()
}
