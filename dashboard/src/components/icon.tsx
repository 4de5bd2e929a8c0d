/** Drawings of one line width; each stands beside a word, so none has one of its own. */

const PATHS = {
  audit: "M4 6h16M4 12h16M4 18h10",
  bell: "M6 16V11a6 6 0 1 1 12 0v5l1.5 2h-15zM10 21h4",
  check: "M5 12.5l4.5 4.5L19 7.5",
  chevron: "M9 6l6 6-6 6",
  clock: "M12 7v5l3.5 2M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0z",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  expand: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  external: "M13 5h6v6M19 5l-9 9M10 6H5v13h13v-5",
  gauge: "M4 17a8.5 8.5 0 1 1 16 0M12 15l4-5",
  home: "M4 11l8-7 8 7v9h-5v-6H9v6H4z",
  minus: "M6 12h12",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
  note: "M12 11v6M12 7.5v.01M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0z",
  notequal: "M5 9h14M5 15h14M16 5L8 19",
  people:
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.5a3.5 3.5 0 0 1 0 6M18 14a6.5 6.5 0 0 1 3.5 6",
  plus: "M12 6v12M6 12h12",
  plusminus: "M12 4v10M7 9h10M7 19h10",
  polling: "M20 12a8 8 0 0 1-14.5 4.6M4 12a8 8 0 0 1 14.5-4.6M19 3v5h-5M5 21v-5h5",
  question: "M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 17.5v.01",
  search: "M20 20l-4.5-4.5M17 10.5a6.5 6.5 0 1 1-13 0 6.5 6.5 0 0 1 13 0z",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
  stopped: "M7 7h10v10H7z",
  timeline: "M3 17l5-6 4 3 5-8 4 5",
  trouble: "M12 9v5M12 17v.01M12 3.5L2.5 20h19z",
  waiting: "M12 3a9 9 0 1 0 9 9",
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, className = "size-4" }: { name: IconName; className?: string }) {
  return (
    <svg
      viewBox="0 0 24 24"
      className={`${className} shrink-0 fill-none stroke-current stroke-2`}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}
