import { useEffect, useRef } from "react"
import { useShared } from "../hooks/context.ts"
import { useView } from "../hooks/use-feed.ts"
import { usePast } from "../hooks/use-past.ts"
import { pathOf } from "../state/arrange.ts"
import { fieldChanges, type RepoChange, wordOf } from "../state/changes.ts"
import { isText, type Json } from "../state/json.ts"
import { absenceIn } from "../state/past.ts"
import type { Repo } from "../state/report.ts"
import { labelOf, lineOf, momentOf, nameWords } from "../state/words.ts"
import { Age } from "./age.tsx"
import { CopyButton } from "./copy-button.tsx"
import { Icon } from "./icon.tsx"
import { SafeLink } from "./safe-link.tsx"
import { Sheet } from "./sheet.tsx"
import { StatusBadge } from "./status-badge.tsx"

interface Props {
  /** `null`: there is none of that name in the report. */
  readonly repo: Repo | null
  readonly name: string
  readonly onClose: () => void
}

/** All that a report says of one repository, and what of it changed when. */
export function RepoDetails({ repo, name, onClose }: Props) {
  const title = useRef<HTMLHeadingElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies(name): another repository is opened
  useEffect(() => title.current?.focus({ preventScroll: true }), [name])
  return (
    <Sheet label="Details" onClose={onClose}>
      <header className="flex rounded-t-lg lg:sticky lg:top-0 items-start gap-3 border-b border-line bg-card px-4 py-3">
        <div className="min-w-0 flex-1 space-y-1">
          <h2 ref={title} tabIndex={-1} className="foreign text-base font-semibold outline-none">
            {nameWords(name)}
          </h2>
          {repo && <StatusBadge status={repo.status} />}
        </div>
        <button type="button" onClick={onClose} className="button size-8 px-0 print:hidden">
          <Icon name="close" />
          <span className="sr-only">Close the details</span>
        </button>
      </header>
      {repo ? <Fields repo={repo} /> : <p className="p-4 text-quiet">The report lists no repository of that name.</p>}
      {repo && <Past repo={repo} />}
    </Sheet>
  )
}

const NOT_FIELDS = new Set(["name", "status"])

function Fields({ repo }: { repo: Repo }) {
  const fields = Object.entries(repo.fields).filter(([name, value]) => !NOT_FIELDS.has(name) && lineOf(value) !== "")
  return (
    <dl className="space-y-3 p-4">
      {fields.map(([name, value]) => (
        <div key={name}>
          <dt className="foreign text-xs text-quiet first-letter:uppercase">{labelOf(name)}</dt>
          <dd className="flex items-start gap-1">
            <span className="min-w-0 flex-1">
              <Value value={value} isMono={value === pathOf(repo)} />
            </span>
            {isText(value) && <CopyButton what={labelOf(name)} text={() => value} />}
          </dd>
        </div>
      ))}
    </dl>
  )
}

const FEW = 12

function Value({ value, isMono }: { value: Json; isMono: boolean }) {
  if (isText(value)) {
    return (
      <span className={isMono ? "font-mono text-[0.8125rem]" : "whitespace-pre-line"}>
        <SafeLink text={isMono ? value : lineOf(value)} />
      </span>
    )
  }
  if (!Array.isArray(value)) return <span className="foreign">{lineOf(value)}</span>
  const lines = value.map((each, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: lines of a list have nothing else, and none of them has a state
    <li key={at} className="foreign whitespace-pre-wrap">
      {lineOf(each)}
    </li>
  ))
  const list = <ul className="mt-1 rounded-md bg-sunken px-3 py-2 font-mono text-xs leading-5">{lines}</ul>
  if (lines.length <= FEW) return list
  return (
    <details>
      <summary className="text-accent">{lines.length.toLocaleString()} lines</summary>
      {list}
    </details>
  )
}

/** What this page saw of it, and the last reports before. */
function Past({ repo }: { repo: Repo }) {
  const log = useView((view) => view.log)
  const past = usePast()
  const { past: recalled } = useShared()
  useEffect(() => recalled.more(), [recalled])
  const steps = [...log, ...past.steps].flatMap(({ id, at, changes }) => {
    const change = changes.find(({ key }) => key === repo.key)
    return change ? [{ id, at, change }] : []
  })
  return (
    <section className="border-t border-line p-4">
      <h3 className="title mb-2">What changed</h3>
      {steps.length === 0 && <p className="foreign text-quiet">{absenceIn(past, "Nothing")}</p>}
      <ol className="space-y-3">
        {steps.map(({ id, at, change }) => (
          <li key={id} className="border-l-2 border-accent pl-3">
            <p>
              <b className="font-semibold">{wordOf(change)}</b>{" "}
              <span className="text-xs text-quiet">
                {momentOf(at)}, <Age at={at} />
              </span>
            </p>
            <Differences change={change} />
          </li>
        ))}
      </ol>
    </section>
  )
}

/** Each field but the state that reads otherwise, before and after. */
export function Differences({ change }: { change: RepoChange }) {
  const fields = fieldChanges(change).filter(({ name }) => name !== "status")
  return (
    <ul className="text-xs">
      {fields.map(({ name, before, after }) => (
        <li key={name} className="foreign">
          <span className="text-quiet">{labelOf(name)}:</span>{" "}
          <del className="rounded-xs bg-(--bad-ground) px-0.5 text-quiet no-underline">
            {lineOf(before) || "nothing"}
          </del>{" "}
          → <ins className="rounded-xs bg-(--good-ground) px-0.5 no-underline">{lineOf(after) || "nothing"}</ins>
        </li>
      ))}
    </ul>
  )
}
