/** The list of clients; nothing of it is built yet. */
export default function Clients() {
  return (
    <>
      <h1 className="sr-only">Clients</h1>
      <p className="card p-10 text-center text-quiet">There is nothing here yet.</p>
    </>
  )
}
