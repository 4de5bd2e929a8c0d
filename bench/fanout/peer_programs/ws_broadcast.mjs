// A peer: the broadcast of the documentation of Node's ws.
//
//     node ws_broadcast.mjs PORT [--deflate]

import { WebSocket, WebSocketServer } from "ws"

const [port, option] = process.argv.slice(2)
const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(port),
  backlog: 2048,
  perMessageDeflate: option === "--deflate",
})

server.on("connection", (socket, request) => {
  socket.on("error", () => {})
  if (request.url !== "/publish") return
  socket.on("message", (event) => {
    server.clients.forEach((client) => {
      if (client !== socket && client.readyState === WebSocket.OPEN) client.send(event, { binary: false })
    })
  })
})
