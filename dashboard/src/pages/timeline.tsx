/** The timeline; nothing of it is built yet. */
export default function Timeline() {
  return (
    <>
      <h1 className="sr-only">Timeline</h1>
      <p className="card p-10 text-center text-quiet">There is nothing here yet.</p>
    </>
  )
}
