import { type ReactNode, useEffect, useLayoutEffect, useRef } from "react"
import { useMedia } from "../hooks/use-media.ts"

interface Props {
  readonly label: string
  readonly onClose: () => void
  readonly children: ReactNode
}

/** What stands beside the content, or in front of it where there is no room; on paper there is. */
export function Sheet(props: Props) {
  const isModal = useMedia("screen and (max-width: 1023.9px)")
  return isModal ? <Modal {...props} /> : <Aside {...props} />
}

function Aside({ label, onClose, children }: Props) {
  useEffect(() => {
    const leave = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !document.querySelector(":popover-open")) onClose()
    }
    addEventListener("keydown", leave)
    return () => removeEventListener("keydown", leave)
  }, [onClose])
  return (
    <aside
      aria-label={label}
      className="card sticky top-17 max-h-[calc(100dvh-5.5rem)] w-104 shrink-0 self-start overflow-y-auto print:static! print:max-h-none! print:w-auto! print:overflow-visible! print:break-inside-auto"
    >
      {children}
    </aside>
  )
}

/** The browser keeps the focus in it, and what is behind it from everybody. */
function Modal({ label, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => {
    const mine = dialog.current
    mine?.showModal()
    return () => mine?.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      className="fixed inset-0 size-full max-h-none max-w-none overflow-y-auto overscroll-contain bg-card text-ink"
    >
      {children}
    </dialog>
  )
}
