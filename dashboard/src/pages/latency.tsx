/** The latency; nothing of it is built yet. */
export default function Latency() {
  return (
    <>
      <h1 className="sr-only">Latency</h1>
      <p className="card p-10 text-center text-quiet">There is nothing here yet.</p>
    </>
  )
}
