import { useEffect, useRef, useState } from "react"
import { GROUPS, SORTS, type Wish } from "../state/arrange.ts"
import { stateWords } from "../state/words.ts"
import { Icon } from "./icon.tsx"
import { toneOf } from "./status-badge.tsx"

interface Props {
  readonly wish: Wish
  readonly counts: readonly (readonly [string, number])[]
  readonly found: number
  readonly total: number
  readonly onWish: (change: Partial<Wish>) => void
}

/** Search, states, order and groups. */
export function RepoToolbar({ wish, counts, found, total, onWish }: Props) {
  return (
    <div className="flex flex-wrap items-center gap-2 print:hidden in-data-kiosk:hidden">
      <Search value={wish.search} onSearch={(search) => onWish({ search })} />
      <Statuses wish={wish} counts={counts} onWish={onWish} />
      <div className="ml-auto flex items-center gap-2 max-sm:w-full">
        <Choice label="Sort by" value={wish.sort} names={SORTS} onChoose={(sort) => onWish({ sort })} />
        <Choice label="Group by" value={wish.group} names={GROUPS} onChoose={(group) => onWish({ group })} />
      </div>
      <p role="status" className="w-full text-xs text-quiet tabular-nums">
        {found === total
          ? `${total.toLocaleString()} repositories`
          : `${found.toLocaleString()} of ${total.toLocaleString()} repositories`}
      </p>
    </div>
  )
}

function Search({ value, onSearch }: { value: string; onSearch: (value: string) => void }) {
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      const isTyping = (event.target as Element | null)?.closest?.("input, select, textarea")
      if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return
      event.preventDefault()
      input.current?.focus()
    }
    addEventListener("keydown", focus)
    return () => removeEventListener("keydown", focus)
  }, [])
  return (
    <label className="relative w-64 max-sm:w-full">
      <span className="sr-only">Search repositories (press /)</span>
      <Icon name="search" className="pointer-events-none absolute top-2 left-2.5 size-4 text-quiet" />
      <input
        ref={input}
        type="search"
        value={value}
        onChange={(event) => onSearch(event.target.value)}
        placeholder="Search"
        autoComplete="off"
        spellCheck={false}
        className="field w-full pl-8"
      />
    </label>
  )
}

const FEW = 20

function Statuses({ wish, counts, onWish }: Pick<Props, "wish" | "counts" | "onWish">) {
  const [isWhole, setWhole] = useState(false)
  const shown = isWhole ? counts : counts.filter(([status], at) => at < FEW || wish.statuses.includes(status))
  const toggle = (status: string) => {
    const others = wish.statuses.filter((each) => each !== status)
    onWish({ statuses: others.length < wish.statuses.length ? others : [...others, status] })
  }
  return (
    <fieldset className="flex flex-wrap gap-1.5">
      <legend className="sr-only">Filter by status</legend>
      {shown.map(([status, count]) => (
        <button
          key={status}
          type="button"
          data-tone={toneOf(status) ?? "none"}
          aria-pressed={wish.statuses.includes(status)}
          onClick={() => toggle(status)}
          className="foreign inline-flex min-h-8 items-center gap-1.5 rounded-full border border-line bg-card px-3 hover:border-edge aria-pressed:border-tone aria-pressed:bg-tone-ground aria-pressed:font-semibold aria-pressed:text-tone"
        >
          {wish.statuses.includes(status) && <Icon name="check" className="size-3.5" />}
          <span className="max-w-48 truncate">{stateWords(status)}</span>{" "}
          <span className="text-quiet tabular-nums">{count.toLocaleString()}</span>
        </button>
      ))}
      {shown.length < counts.length && (
        <button type="button" className="link px-2" onClick={() => setWhole(true)}>
          {(counts.length - shown.length).toLocaleString()} more states
        </button>
      )}
    </fieldset>
  )
}

interface ChoiceProps<Name extends string> {
  label: string
  value: Name
  names: Readonly<Record<Name, string>>
  onChoose: (name: Name) => void
}

function Choice<Name extends string>({ label, value, names, onChoose }: ChoiceProps<Name>) {
  return (
    <label className="max-sm:flex-1">
      <span className="sr-only">{label}</span>
      <select className="field max-sm:w-full" value={value} onChange={(event) => onChoose(event.target.value as Name)}>
        {(Object.keys(names) as Name[]).map((name) => (
          <option key={name} value={name}>
            {names[name]}
          </option>
        ))}
      </select>
    </label>
  )
}
