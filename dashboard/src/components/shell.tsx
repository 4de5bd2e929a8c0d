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
    <div className="group/shell flex min-h-dvh in-data-kiosk:lg:has-data-fit:h-dvh flex-col max-md:pb-14 has-data-toast:pb-20 max-md:has-data-toast:pb-36 has-data-cut:pb-16 max-md:has-data-cut:pb-32 print:block print:min-h-0 print:pb-0">
      <button type="button" onClick={skip} className="button fixed top-2 left-2 z-50 not-focus:sr-only">
        Skip to the content
      </button>
      <header className="sticky top-0 z-30 border-b border-line bg-card print:static">
        <div className={`${WIDTH} flex h-13 in-data-kiosk:h-18 items-center gap-4 max-[30rem]:gap-2`}>
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
        className={`${WIDTH} flex flex-1 flex-col gap-4 py-5 in-data-kiosk:min-h-0 in-data-kiosk:py-4 outline-none print:block print:space-y-4 max-sm:gap-3 max-sm:py-3.5`}
      >
        {children}
      </main>
      {!isKiosk && <footer className={`${WIDTH} pb-5 text-xs text-quiet print:hidden`}>{footer}</footer>}
      {!isKiosk && <Toasts />}
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
      <span className="text-base font-semibold tracking-tight max-[30rem]:sr-only md:max-lg:sr-only print:not-sr-only">
        Reportcast
      </span>
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
      className="flex h-full gap-1 max-md:fixed max-md:inset-x-0 max-md:bottom-0 max-md:h-14 max-md:justify-around max-md:border-t max-md:border-line max-md:bg-card print:hidden"
    >
      {places.map(({ page, name, icon }) => (
        <a
          key={page}
          href={`#/${page}`}
          aria-current={page === present ? "page" : undefined}
          className="flex items-center gap-2 border-b-2 border-transparent px-2.5 font-medium text-quiet hover:text-ink aria-[current]:border-accent aria-[current]:text-ink max-md:flex-1 max-md:flex-col max-md:justify-center max-md:gap-0.5 max-md:border-t-2 max-md:border-b-0 max-md:px-0 max-md:text-[0.6875rem] max-[22rem]:text-[0.625rem]"
        >
          <Icon name={icon} className="size-4 max-md:size-5 md:max-lg:hidden" />
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
