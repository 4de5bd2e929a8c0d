interface Props {
  /** Oldest first. */
  readonly values: readonly number[]
}

const WIDTH = 96
const HEIGHT = 24

/** A count over the last reports, as a line that ends in its present value; decoration beside a number. */
export function Sparkline({ values }: Props) {
  const points = pointsOf(values)
  const last = points.at(-1)
  if (points.length < 2 || !last) return null
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      className="h-6 w-full min-w-0 overflow-visible fill-none stroke-current"
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <polyline
        points={points.map((each) => each.join(",")).join(" ")}
        strokeWidth="1.5"
        vectorEffect="non-scaling-stroke"
      />
      <line
        x1={last[0]}
        y1={last[1]}
        x2={last[0]}
        y2={last[1]}
        strokeWidth="5"
        strokeLinecap="round"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  )
}

function pointsOf(values: readonly number[]): (readonly [number, number])[] {
  const shown = values.filter(Number.isFinite)
  const [low, high] = [Math.min(...shown), Math.max(...shown)]
  const span = high - low || 1
  const step = WIDTH / Math.max(1, shown.length - 1)
  // What never changes is a line along the bottom, not one that seems to be at its height.
  return shown.map((value, at) => [round(at * step), round(HEIGHT - 3 - ((value - low) / span) * (HEIGHT - 6))])
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
