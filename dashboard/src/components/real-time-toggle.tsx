import { useId, useState } from "react"
import { useWebSocket } from "../hooks/use-feed.ts"
import { INTERVALS_S } from "../state/preferences.ts"
import { durationOf } from "../state/words.ts"

const FIRST_S = 30

/** Live, or asked for every so often. Remembered. */
export function RealTimeToggle() {
  const { mode, setMode } = useWebSocket()
  const [everyS, setEveryS] = useState(mode.live ? FIRST_S : mode.everyS)
  const id = useId()
  const choose = (seconds: number) => {
    setEveryS(seconds)
    setMode({ live: false, everyS: seconds })
  }
  return (
    <div className="flex min-h-8 flex-wrap items-center gap-x-3 gap-y-1">
      <button
        type="button"
        role="switch"
        aria-checked={mode.live}
        id={id}
        aria-labelledby={`${id}-word`}
        onClick={() => setMode(mode.live ? { live: false, everyS } : { live: true })}
        className="group relative h-5 w-9 rounded-full border border-edge bg-sunken aria-checked:border-accent aria-checked:bg-accent"
      >
        <span className="absolute top-0.5 left-0.5 size-3.5 rounded-full bg-edge transition-transform group-aria-checked:translate-x-4 group-aria-checked:bg-on-accent" />
      </button>
      <label id={`${id}-word`} htmlFor={id} className="font-medium">
        Real-time
      </label>
      {!mode.live && (
        <label className="ml-auto flex items-center gap-2 text-quiet">
          asks every
          <select className="field" value={everyS} onChange={(event) => choose(Number(event.target.value))}>
            {INTERVALS_S.map((seconds) => (
              <option key={seconds} value={seconds}>
                {durationOf(seconds)}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  )
}
