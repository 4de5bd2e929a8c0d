import { useId, useState } from "react"
import { useShared } from "../hooks/context.ts"
import { usePreferences } from "../hooks/use-preferences.ts"
import { canNotify } from "../state/notification.ts"
import { Icon } from "./icon.tsx"
import { Segments } from "./segments.tsx"

const THEMES = [
  ["system", "System"],
  ["light", "Light"],
  ["dark", "Dark"],
] as const

/** How the page looks, and whether it may notify. */
export function Settings({ onKiosk }: { onKiosk: () => void }) {
  const id = useId()
  return (
    <>
      <button type="button" popoverTarget={id} className="button size-9 rounded-full px-0 print:hidden">
        <Icon name="settings" />
        <span className="sr-only">Settings</span>
      </button>
      <section
        id={id}
        popover="auto"
        aria-label="Settings"
        className="card top-14 right-4 max-h-[calc(100dvh-4rem)] w-72 overflow-y-auto space-y-4 p-4 text-ink shadow-float"
      >
        <Theme />
        <Notifications />
        <button type="button" className="button w-full" popoverTarget={id} popoverTargetAction="hide" onClick={onKiosk}>
          <Icon name="expand" />
          Kiosk mode, for a wall screen
        </button>
      </section>
    </>
  )
}

function Theme() {
  const { preferences } = useShared()
  const { theme } = usePreferences()
  return (
    <div>
      <p aria-hidden="true" className="title mb-1.5">
        Appearance
      </p>
      <Segments
        label="Appearance"
        choices={THEMES}
        value={theme}
        onChoose={(chosen) => preferences.set({ theme: chosen })}
      />
    </div>
  )
}

function Notifications() {
  const { preferences } = useShared()
  const { notify } = usePreferences()
  const [isRefused, setRefused] = useState(false)
  if (!canNotify()) return null
  const denied = Notification.permission === "denied"
  const choose = async (wanted: boolean) => {
    const granted = wanted && (await Notification.requestPermission()) === "granted"
    setRefused(wanted && !granted)
    preferences.set({ notify: granted })
  }
  return (
    <label className="flex items-start gap-2">
      <input
        type="checkbox"
        className="mt-1 size-3.5 accent-accent"
        checked={notify && !denied}
        disabled={denied}
        onChange={(event) => choose(event.target.checked)}
      />
      <span>
        Notify me of changes
        <span className="block text-xs text-quiet">
          {denied ? "The browser was told not to allow it." : "While this page is in the background."}
        </span>
        <span role="status" data-tone="warn" className="block text-xs text-tone empty:hidden">
          {isRefused && !denied && "The browser did not give its permission."}
        </span>
      </span>
    </label>
  )
}
