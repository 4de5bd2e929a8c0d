/** Notifications of the browser, where a page can make them: Chrome for Android throws at the attempt. */

let isPossible: boolean | undefined

/** Tell whether this page can notify; where it is permitted already, only an attempt tells. */
export function canNotify(): boolean {
  if (typeof Notification === "undefined") return false
  // Where it is not permitted yet, nothing is shown of it.
  if (isPossible === undefined && Notification.permission !== "granted") attempt("")
  return isPossible !== false
}

/** Notify who does not see the page. */
export function notify(text: string): void {
  if (document.hidden && canNotify()) attempt("Reportcast", { body: text, tag: "changes" })
}

function attempt(title: string, options?: NotificationOptions): void {
  try {
    new Notification(title, options)
    isPossible = true
  } catch {
    isPossible = false
  }
}
