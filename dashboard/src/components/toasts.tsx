import { useSyncExternalStore } from "react"
import { useShared } from "../hooks/context.ts"
import type { Tone } from "../state/toasts.ts"
import { Icon, type IconName } from "./icon.tsx"

const ICONS: Readonly<Record<Tone, IconName>> = { good: "check", warn: "trouble", bad: "trouble", note: "note" }

/** What just happened; the list is there before its first item, so that it is announced. */
export function Toasts() {
  const { toasts } = useShared()
  const list = useSyncExternalStore(toasts.subscribe, toasts.list)
  const dismiss = (id: number) => {
    document.getElementById("main")?.focus() // what has the focus goes
    toasts.dismiss(id)
  }
  return (
    <div
      role="status"
      aria-live="polite"
      aria-relevant="additions"
      aria-atomic="false"
      aria-label="Notices"
      className="pointer-events-none fixed right-4 bottom-4 left-4 z-40 flex flex-col items-end gap-2 max-md:bottom-20 group-has-data-cut/shell:bottom-20 max-md:group-has-data-cut/shell:bottom-40 print:hidden"
    >
      {list.map(({ id, tone, text, href }) => (
        // biome-ignore lint/a11y/noStaticElementInteractions: it is not operated, it waits for who reads it
        <div
          key={id}
          onPointerEnter={() => toasts.hold(id)}
          onFocus={() => toasts.hold(id)}
          onPointerLeave={({ currentTarget }) => currentTarget.matches(":focus-within") || toasts.release(id)}
          onBlur={({ currentTarget }) => currentTarget.matches(":hover") || toasts.release(id)}
          data-tone={tone}
          data-toast=""
          className="card pointer-events-auto flex max-w-md animate-rise items-start gap-2.5 p-3 shadow-float"
        >
          <Icon name={ICONS[tone]} className="mt-0.5 size-4 text-tone" />
          <span className="foreign min-w-0 flex-1">{href ? <a href={href}>{text}</a> : text}</span>
          <button
            type="button"
            className="-m-1 grid size-6 place-items-center text-quiet hover:text-ink"
            onClick={() => dismiss(id)}
          >
            <Icon name="close" />
            <span className="sr-only">Dismiss</span>
          </button>
        </div>
      ))}
    </div>
  )
}
