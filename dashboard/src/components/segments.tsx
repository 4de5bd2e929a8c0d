import { useId } from "react"

interface Props<Choice extends string> {
  /** What is chosen, for people. */
  readonly label: string
  readonly choices: readonly (readonly [Choice, string])[]
  readonly value: Choice
  readonly onChoose: (choice: Choice) => void
}

/** One of a few, all of which are to be seen; as wide as its place, where that is given. */
export function Segments<Choice extends string>({ label, choices, value, onChoose }: Props<Choice>) {
  const name = useId()
  return (
    <fieldset className="flex rounded-md border border-line bg-sunken p-0.5 print:hidden in-data-kiosk:hidden">
      <legend className="sr-only">{label}</legend>
      {choices.map(([choice, word]) => (
        <label
          key={choice}
          className="grow rounded-sm px-2.5 py-0.5 text-center whitespace-nowrap text-quiet has-checked:bg-card has-checked:font-semibold has-checked:text-ink has-checked:shadow-card has-focus-visible:outline-2 has-focus-visible:outline-accent max-sm:px-2"
        >
          <input
            type="radio"
            className="sr-only"
            name={name}
            checked={choice === value}
            onChange={() => onChoose(choice)}
          />
          {word}
        </label>
      ))}
    </fieldset>
  )
}
