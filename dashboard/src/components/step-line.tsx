interface Props {
  /** Where each value begins to hold, and how high it is: from 0 to 1; NaN where it is not told. */
  readonly xs: readonly number[]
  readonly ys: readonly number[]
  readonly isFilled: boolean
  /** In the colour of the text: it is neither good nor bad. */
  readonly isPlain: boolean
}

const WIDTH = 1_000
const HEIGHT = 100
/** Of the height, above and below: a line at the edge would be cut in half. */
const MARGIN = 8

/** Values that hold until the next one, as a line of steps. */
export function StepLine({ xs, ys, isFilled, isPlain }: Props) {
  const pieces = piecesOf(xs, ys)
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      className={`absolute inset-0 size-full ${isPlain ? "text-quiet" : "text-tone"}`}
      aria-hidden="true"
    >
      {isFilled && <path d={pieces.map(areaOf).join("")} className="fill-current opacity-15" />}
      <path
        d={pieces.map(lineOf).join("")}
        className="fill-none stroke-current"
        strokeWidth="1.75"
        strokeLinejoin="round"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  )
}

interface Piece {
  readonly points: readonly (readonly [x: number, y: number])[]
  readonly end: number
}

/** What is not told leaves a gap. */
function piecesOf(xs: readonly number[], ys: readonly number[]): Piece[] {
  const pieces: Piece[] = []
  let points: (readonly [number, number])[] = []
  const close = (end: number) => {
    if (points.length) pieces.push({ points, end })
    points = []
  }
  for (const [at, share] of xs.entries()) {
    const y = ys[at] ?? Number.NaN
    if (Number.isNaN(y)) close(share * WIDTH)
    else points.push([round(share * WIDTH), round(HEIGHT - MARGIN - y * (HEIGHT - 2 * MARGIN))])
  }
  close(WIDTH)
  return pieces
}

function lineOf({ points: [first, ...rest], end }: Piece): string {
  return first ? `M${first.join(" ")}${rest.map(([x, y]) => `H${x}V${y}`).join("")}H${round(end)}` : ""
}

function areaOf(piece: Piece): string {
  return `${lineOf(piece)}V${HEIGHT}H${piece.points[0]?.[0] ?? 0}Z`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
