/** Who is connected, by `/api/ws/clients`. Pure. Source: docs/protocol.md, Endpoints. */

import { isObject, isText, type Json } from "./json.ts"

export interface ConnectedClient {
  /** Unique among all workers. */
  readonly key: string
  readonly channel: string
  readonly transport: string
  readonly address: string
  readonly userAgent: string
  readonly connectedAt: number
  readonly framesSent: number
  /** How many updates it was not given because it was slow, and how many it has yet to be given. */
  readonly conflated: number
  readonly behind: number
}

export interface Crowd {
  readonly count: number
  readonly workers: readonly [asked: number, answered: number]
  /** Oldest first. */
  readonly clients: readonly ConnectedClient[]
}

export function readClients(answer: unknown): Crowd {
  if (!isObject(answer) || !Array.isArray(answer.clients)) throw new SyntaxError("it lists no clients")
  const workers = isObject(answer.workers) ? answer.workers : {}
  return {
    count: numberOf(answer.count),
    workers: [numberOf(workers.asked, 1), numberOf(workers.answered, 1)],
    clients: answer.clients.flatMap((each: Json) => (isObject(each) ? clientOf(each) : [])),
  }
}

function clientOf(told: { readonly [name: string]: Json }): ConnectedClient {
  return {
    key: `${told.worker}:${told.id}`,
    channel: textOf(told.channel),
    transport: textOf(told.transport),
    address: textOf(told.address),
    userAgent: textOf(told.userAgent),
    connectedAt: isText(told.connectedAt) ? Date.parse(told.connectedAt) : Number.NaN,
    framesSent: numberOf(told.framesSent),
    conflated: numberOf(told.conflated),
    behind: numberOf(told.behind),
  }
}

function numberOf(value: Json | undefined, otherwise = 0): number {
  return typeof value === "number" ? value : otherwise
}

function textOf(value: Json | undefined): string {
  return isText(value) ? value : ""
}

export const TRANSPORTS: Readonly<Record<string, string>> = {
  websocket: "WebSocket",
  events: "Server-sent events",
  poll: "Polling",
}

export function transportWord(transport: string): string {
  return (Object.hasOwn(TRANSPORTS, transport) ? TRANSPORTS[transport] : undefined) ?? (transport || "not told")
}

const BROWSERS = [
  [/\bEdg\/(\d+)/, "Edge"],
  [/\bOPR\/(\d+)/, "Opera"],
  [/\bFirefox\/(\d+)/, "Firefox"],
  [/\b(?:Headless)?Chrome\/(\d+)/, "Chrome"],
  [/\bVersion\/(\d+)[\d.]* (?:Mobile\/\S+ )?Safari/, "Safari"],
] as const
const SYSTEMS = [
  [/\bAndroid\b/, "Android"],
  [/\biP(?:hone|ad)\b/, "iOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b/, "macOS"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b/, "Linux"],
] as const

/** A browser's name in a word or two, as far as it tells; any other program's as it is. */
export function programOf(userAgent: string): string {
  const found = BROWSERS.map(([pattern, name]) => [pattern.exec(userAgent)?.[1], name] as const).find(
    ([version]) => version,
  )
  if (!found) return userAgent || "not told"
  const system = SYSTEMS.find(([pattern]) => pattern.test(userAgent))?.[1]
  return `${found[1]} ${found[0]}${system ? `, ${system}` : ""}`
}

/** How far behind the newest a client is, in words. */
export function behindWords({ behind, conflated }: ConnectedClient): string {
  const now = behind > 0 ? `${behind.toLocaleString()} behind` : "up to date"
  return conflated > 0 ? `${now}, ${conflated.toLocaleString()} skipped` : now
}

/** Give those in whose fields every word stands. */
export function findClients(clients: readonly ConnectedClient[], search: string): readonly ConnectedClient[] {
  const words = search.trim().toLowerCase().split(/\s+/).filter(Boolean)
  if (!words.length) return clients
  return clients.filter((client) => {
    const text = [client.address, client.channel, transportWord(client.transport), client.userAgent]
      .join("\n")
      .toLowerCase()
    return words.every((word) => text.includes(word))
  })
}
