import { Component, type ErrorInfo, type ReactNode } from "react"
import { useView } from "../hooks/use-feed.ts"
import { plain } from "../state/words.ts"
import { Icon } from "./icon.tsx"
import { ReplacedError } from "./later.tsx"

interface Props {
  /** What the panel is, for people: "The overview". */
  readonly name: string
  readonly children: ReactNode
}

/** Keeps what goes wrong in one panel from taking the page with it; another report is another chance. */
export function PanelBoundary(props: Props) {
  const report = useView(({ epoch, offset }) => `${epoch}:${offset}`)
  return <Boundary {...props} report={report} />
}

interface State {
  readonly error: Error | null
}

class Boundary extends Component<Props & { report: string }, State> {
  override state: State = { error: null }

  static getDerivedStateFromError(error: Error) {
    return { error }
  }

  override componentDidUpdate(before: { report: string }, { error }: State) {
    // Not for an error of this report itself; and what another version is needed for, no report mends.
    const isOld = error !== null && error === this.state.error && before.report !== this.props.report
    if (isOld && !(error instanceof ReplacedError)) this.setState({ error: null })
  }

  override componentDidCatch(error: Error, { componentStack }: ErrorInfo) {
    console.error(`${this.props.name} could not be shown`, error, componentStack)
  }

  override render() {
    const { error } = this.state
    if (!error) return this.props.children
    return (
      <section role="alert" data-tone="bad" className="card flex flex-wrap items-center gap-3 p-4">
        <Icon name="trouble" className="size-5 text-tone" />
        <p className="min-w-0 flex-1">
          {this.props.name} could not be shown. <span className="foreign text-quiet">{messageOf(error)}</span>
        </p>
        {error instanceof ReplacedError ? (
          <button type="button" className="button" onClick={() => location.reload()}>
            Reload
          </button>
        ) : (
          <button type="button" className="button" onClick={() => this.setState({ error: null })}>
            Try again
          </button>
        )}
      </section>
    )
  }
}

function messageOf(error: Error): string {
  return plain(String(error.message)).slice(0, 200)
}
