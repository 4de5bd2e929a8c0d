import type { ReactNode } from "react"
import { useConnectionStatus, useView } from "../hooks/use-feed.ts"
import { dateOf } from "../state/words.ts"
import { Announcer } from "./announcer.tsx"
import { ConnectionStatus } from "./connection-status.tsx"
import { Icon, type IconName } from "./icon.tsx"
import { Settings } from "./settings.tsx"
import { Toasts } from "./toasts.tsx"

export interface Place {
  readonly page: string
  readonly name: string
  readonly icon: IconName
}

interface Props {
  readonly places: readonly Place[]
  readonly present: string
  readonly isKiosk: boolean
  readonly onKiosk: (wanted: boolean) => void
  readonly footer: ReactNode
  readonly children: ReactNode
}

const WIDTH = "mx-auto w-full max-w-[92rem] px-6 max-sm:px-3.5"

/** What is around every page. */
export function Shell({ places, present, isKiosk, onKiosk, footer, children }: Props) {
  const { isSettled } = useConnectionStatus()
  const skip = () => document.getElementById("main")?.focus()
  return (
    <div className="flex min-h-dvh flex-col max-sm:pb-14 print:block print:min-h-0 print:pb-0">
      <button type="button" onClick={skip} className="button fixed top-2 left-2 z-50 not-focus:sr-only">
        Skip to the content
      </button>
      <header className="sticky top-0 z-30 border-b border-line bg-card print:static">
        <div className={`${WIDTH} flex h-13 items-center gap-4`}>
          <Brand />
          {!isKiosk && <Navigation places={places} present={present} />}
          <Printed />
          <div className="ml-auto flex items-center gap-2 print:hidden">
            <ConnectionStatus />
            {isKiosk ? <LeaveKiosk onLeave={() => onKiosk(false)} /> : <Settings onKiosk={() => onKiosk(true)} />}
          </div>
        </div>
      </header>
      <main
        id="main"
        tabIndex={-1}
        data-settled={isSettled}
        className={`${WIDTH} flex flex-1 flex-col gap-4 py-5 outline-none print:block print:space-y-4 max-sm:gap-3 max-sm:py-3.5`}
      >
        {children}
      </main>
      {!isKiosk && <footer className={`${WIDTH} pb-5 text-xs text-quiet print:hidden`}>{footer}</footer>}
      <Toasts />
      <Announcer />
    </div>
  )
}

function Brand() {
  return (
    <a href="#/" className="flex items-center gap-2.5 rounded">
      <svg
        viewBox="0 0 32 32"
        className="size-6 fill-none stroke-accent"
        strokeWidth="3.5"
        strokeLinecap="round"
        aria-hidden="true"
      >
        <circle cx="9" cy="23" r="3" className="fill-accent" />
        <path d="M9 13a10 10 0 0 1 10 10M9 5a18 18 0 0 1 18 18" />
      </svg>
      <span className="text-base font-semibold tracking-tight">Reportcast</span>
    </a>
  )
}

/** On paper nothing counts on: when the report was made, and whether it was the newest. */
function Printed() {
  const madeAt = useView((view) => view.report?.reportedAt ?? view.modifiedAt ?? Number.NaN)
  const { word } = useConnectionStatus()
  if (Number.isNaN(madeAt)) return null
  return (
    <p className="ml-auto hidden text-quiet print:block">
      Report of {dateOf(madeAt)}; {word.toLowerCase()} when printed
    </p>
  )
}

/** Along the top; on a phone along the bottom, where the thumb is. */
function Navigation({ places, present }: { places: readonly Place[]; present: string }) {
  return (
    <nav
      aria-label="Pages"
      className="flex h-full gap-1 max-sm:fixed max-sm:inset-x-0 max-sm:bottom-0 max-sm:h-14 max-sm:justify-around max-sm:border-t max-sm:border-line max-sm:bg-card print:hidden"
    >
      {places.map(({ page, name, icon }) => (
        <a
          key={page}
          href={`#/${page}`}
          aria-current={page === present ? "page" : undefined}
          className="flex items-center gap-2 border-b-2 border-transparent px-2.5 font-medium text-quiet hover:text-ink aria-[current]:border-accent aria-[current]:text-ink max-sm:flex-1 max-sm:flex-col max-sm:justify-center max-sm:gap-0.5 max-sm:border-t-2 max-sm:border-b-0 max-sm:px-0 max-sm:text-[0.6875rem]"
        >
          <Icon name={icon} className="size-4 max-sm:size-5 sm:max-lg:hidden" />
          {name}
        </a>
      ))}
    </nav>
  )
}

function LeaveKiosk({ onLeave }: { onLeave: () => void }) {
  return (
    <button type="button" className="rounded-full p-1.5 text-quiet hover:text-ink" onClick={onLeave}>
      <Icon name="close" />
      <span className="sr-only">Leave the kiosk mode</span>
    </button>
  )
}
