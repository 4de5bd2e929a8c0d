// The page at /: the newest report, live over /ws, or polled from /audit while the socket is down. ?channel= chooses one
// of many; a report that is no audit is shown as formatted JSON.
//
// Words are those of the report (repos, status, local_path, ...). What a report holds is not trusted: it reaches the
// document as text only, and as a link only when it is http or https.

import { showLateness, showStatus } from "./notices.js";
import { ageOf, isText, lineOf } from "./words.js";

const POLL_MS = 10_000;
const PING_MS = 15_000; // a browser does not notice a dead link by itself; two of these without an answer end it
const MAX_JSON = 500_000; // characters; the rest is behind the link
const MAX_ROWS = 1_000; // a page with more rows than this is slow to lay out; the filter reaches the others

const COUNTS = ["total", "clean", "dirty", "missing", "extra", "mismatched"];
const HEALTH = new Map([
  ["green", ["Green", "Everything is in order."]],
  ["yellow", ["Yellow", "Something needs attention."]],
  ["red", ["Red", "Something needs action."]],
  ["unknown", ["Not stated", "The report names no health_status."]],
]);
const CONNECTION = {
  connecting: "Connecting…",
  live: "Live",
  stale: "Connected, data may be stale",
  polling: `Offline, polling every ${POLL_MS / 1000} s`,
  offline: "Offline, reconnecting…",
};
const WHERE = ["local_path", "path", "remote_url", "clone_url", "remote"];
const NOT_DETAILS = new Set(["name", "status", "uncommittedChanges", ...WHERE]);

// What of the page's own address goes with every request: which report, and the read token where one is asked for.
const PASSED_ON = ["channel", "access_token"];
const given = new URLSearchParams([...new URLSearchParams(location.search)].filter(([name]) => PASSED_ON.includes(name)));
const channel = given.get("channel");
const query = `${given}` && `?${given}`;

const page = Object.fromEntries([...document.querySelectorAll("[id]")].map((element) => [element.id, element]));

const statusOf = (repo) =>
  typeof repo.status === "string" ? repo.status : repo.uncommittedChanges ? "dirty" : "clean";

/** The counts to show: the summary's own, or those of the repos when there is no summary. */
function countsOf({ summary, repos }) {
  if (summary) return COUNTS.filter((count) => typeof summary[count] === "number").map((count) => [count, summary[count]]);
  const counts = { total: repos.length, clean: 0, dirty: 0 };
  for (const repo of repos) counts[statusOf(repo)] = (counts[statusOf(repo)] ?? 0) + 1;
  return COUNTS.filter((count) => count in counts).map((count) => [count, counts[count]]);
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** A link when `text` is an http(s) address, the bare text otherwise. */
function makeLink(text) {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return text;
  return make("a", { href: text, textContent: text, target: "_blank", rel: "noopener noreferrer" });
}

function makeValue(value) {
  if (!Array.isArray(value)) return isText(value) ? makeLink(value) : lineOf(value);
  if (value.length === 1) return lineOf(value[0]);
  const lines = value.map((line) => make("li", { textContent: lineOf(line) }));
  return make("details", {}, make("summary", { textContent: `${value.length} lines` }),
    make("ul", { className: "lines" }, ...lines));
}

function makeDetails(repo) {
  const words = Object.keys(repo).filter((word) => !NOT_DETAILS.has(word) && lineOf(repo[word]) !== "");
  return words.map((word) => make("dl", { className: "pair" },
    make("dt", { textContent: word.replaceAll("_", " ") }), make("dd", {}, makeValue(repo[word]))));
}

function makeRow({ repo, status, changed }) {
  const path = [repo.local_path, repo.path].find(isText);
  const remote = [repo.remote_url, repo.clone_url, repo.remote].find(isText);
  const badge = make("span", { className: "badge", textContent: status });
  badge.dataset.status = COUNTS.includes(status) ? status : "other";
  const where = [];
  if (path) where.push(make("span", { className: "mono", textContent: path }));
  if (remote) where.push(make("span", { className: "mono remote" }, makeLink(remote)));
  return make("tr", { role: "row", className: changed ? "changed" : "" },
    make("th", { role: "rowheader", scope: "row" }, repo.name, make("span", { className: "tag", textContent: "changed" })),
    make("td", { role: "cell" }, badge),
    make("td", { role: "cell" }, ...where),
    make("td", { role: "cell" }, ...makeDetails(repo)));
}

let shown = null; // the report on the page, as text
let entries = new Map(); // key -> what is known of one repository: {repo, text, status, changed, row}
let reportedAt = NaN; // ms; NaN when the report's timestamp is no date
let publishedAt = NaN; // ms; by the gateway's status
let serverAhead = 0; // ms; this machine's clock may be wrong, the server's counts

function show(report) {
  if (report === null || report === undefined) return;
  const text = JSON.stringify(report);
  if (text === shown) return;
  const first = shown === null;
  shown = text;
  const audit = isAudit(report);
  reportedAt = Date.parse(report.timestamp);
  if (audit) showAudit(report, first);
  else showJson(report, first);
  showAge();
  page.waiting.hidden = true;
  page.report.hidden = !audit;
  page.other.hidden = audit;
  page.subject.hidden = !audit;
}

function isAudit({ timestamp, repos, summary }) {
  const areRepos = Array.isArray(repos) && repos.every((repo) => typeof repo?.name === "string");
  return isText(timestamp) && areRepos && (summary === undefined || (summary !== null && typeof summary === "object"));
}

function showAudit(report, first) {
  showOverview(report);
  const gone = updateEntries(report.repos, first);
  showRows();
  if (!first) tellNews(gone);
}

function showJson(report, first) {
  const text = JSON.stringify(report, null, 2);
  page.json.textContent = text.slice(0, MAX_JSON);
  document.title = "Reportcast";
  page["json-cut"].hidden = text.length <= MAX_JSON;
  if (!first) page.news.textContent = "The report has changed.";
}

function showOverview(report) {
  const health = isText(report.health_status) ? report.health_status : "unknown";
  const [word, meaning] = HEALTH.get(health) ?? [health, ""];
  page.health.dataset.health = health;
  page["health-word"].textContent = word;
  page["health-meaning"].textContent = meaning;
  Object.assign(page.timestamp, { dateTime: report.timestamp, title: report.timestamp });
  page.timestamp.textContent = Number.isNaN(reportedAt) ? report.timestamp : new Date(reportedAt).toLocaleString();
  page.summary.replaceChildren(...countsOf(report).map(([count, value]) => {
    const tile = make("div", { className: "tile" }, make("dt", { textContent: count }),
      make("dd", { textContent: value.toLocaleString() }));
    tile.dataset.status = count;
    tile.toggleAttribute("data-zero", value === 0);
    return tile;
  }));
}

/** Brings `entries` up to date; the rows of unchanged repositories stay as they are. Gives how many went away. */
function updateEntries(repos, first) {
  const previous = entries;
  const times = new Map();
  let kept = 0;
  entries = new Map();
  for (const repo of repos) {
    const nth = (times.get(repo.name) ?? 0) + 1; // two repositories may have one name
    times.set(repo.name, nth);
    const key = `${nth} ${repo.name}`;
    const text = JSON.stringify(repo);
    const before = previous.get(key);
    if (before) kept += 1;
    if (before?.text === text) {
      before.changed = false;
      before.row?.classList.remove("changed");
    }
    entries.set(key, before?.text === text ? before : { repo, text, status: statusOf(repo), changed: !first });
  }
  return previous.size - kept;
}

function showRows() {
  const words = page.filter.value.trim().toLowerCase();
  const matches = ({ repo, status }) =>
    [repo.name, status, ...WHERE.map((word) => lineOf(repo[word]))].join("\n").toLowerCase().includes(words);
  const all = [...entries.values()];
  const found = all.filter(matches).sort((a, b) => (a.status === "clean") - (b.status === "clean"));
  placeRows(found.slice(0, MAX_ROWS).map((entry) => (entry.row ??= makeRow(entry))));
  const seen = Math.min(found.length, MAX_ROWS);
  page.shown.textContent = seen < all.length ? `${seen.toLocaleString()} of ${all.length.toLocaleString()} shown` : "";
  page.empty.hidden = seen > 0;
  page.empty.textContent = all.length ? "No repository matches the filter." : "The report lists no repositories.";
  const troubled = all.filter(({ status }) => status !== "clean").length;
  document.title = troubled ? `(${troubled}) Reportcast` : "Reportcast";
}

/** Puts `rows` in order, moving only what has to move: a moved row loses focus and flashes again. */
function placeRows(rows) {
  const staying = new Set(rows);
  for (const row of [...page.repos.children]) if (!staying.has(row)) row.remove();
  let cursor = page.repos.firstElementChild;
  for (const row of rows) {
    if (row === cursor) cursor = cursor.nextElementSibling;
    else page.repos.insertBefore(row, cursor);
  }
}

function tellNews(gone) {
  const changed = [...entries.values()].filter((entry) => entry.changed);
  const names = changed.slice(0, 3).map(({ repo, status }) => `${repo.name} is ${status}`);
  const rest = changed.length > names.length ? [`${changed.length - names.length} more changed`] : [];
  const left = gone > 0 ? [`${gone} no longer listed`] : [];
  page.news.textContent = [...names, ...rest, ...left].join(", "); // empty for a new time alone: not worth a word
}

function showAge() {
  const seconds = Math.round((Date.now() + serverAhead - reportedAt) / 1000);
  page.age.textContent = Number.isNaN(seconds) ? "" : ageOf(seconds);
  const published = Math.round((Date.now() + serverAhead - publishedAt) / 1000);
  page["json-age"].textContent = Number.isNaN(published) ? "" : `Published ${ageOf(published)}`;
  showLateness(Date.now() + serverAhead);
}

async function getJson(path) {
  const response = await fetch(path, { cache: "no-cache", signal: AbortSignal.timeout(POLL_MS * 0.8) });
  if (!response.ok) throw new Error(`${path}: ${response.status}`, { cause: response.status });
  return response.json();
}

async function checkStatus() {
  const status = await getJson(`api/ws/status${query}`).catch(tellNotServed);
  if (!status) return; // the connection state tells of a server that is away
  stale = status.stale === true;
  setState(state);
  publishedAt = Date.parse(status.report?.publishedAt);
  serverAhead = Date.parse(status.timestamp) - Date.now() || 0;
  if (isText(status.channel)) page["json-title"].textContent = status.channel;
  showStatus(status, shown !== null);
  showAge();
}

function tellNotServed(error) {
  if (error.cause === 404 && shown === null) {
    page["waiting-title"].textContent = "No such report";
    page["waiting-reason"].textContent = "This gateway serves no channel of that name. ";
    page["waiting-reason"].append(make("a", { href: "./", textContent: "Show the first one" }));
  }
}

let state = "connecting";
let stale = false; // the gateway's own word for it: it has lost its broker
let socket = null;
let attempt = 0;
let retry = 0;
let pinged = false;

function setState(next) {
  state = next;
  const told = state === "live" && stale ? "stale" : state;
  if (page.connection.dataset.state === told) return;
  page.connection.dataset.state = told;
  page["connection-word"].textContent = CONNECTION[told];
}

/** Delay before attempt `n` (0, 1, ...), in ms. Full jitter, so that clients spread out. */
const backoff = (n) => Math.random() * Math.min(30_000, 500 * 2 ** n);

/** How long a server that ends a connection asks to stay away, in ms; undefined if it does not say. */
function askedToWait(reason) {
  try {
    const wait = JSON.parse(reason).retry_after_ms;
    return wait >= 0 && wait <= 30_000 ? wait : undefined;
  } catch {
    return undefined;
  }
}

function connect() {
  const address = new URL(`ws${query}`, document.baseURI);
  address.protocol = address.protocol.replace("http", "ws");
  const opened = new WebSocket(address);
  socket = opened;
  clearTimeout(retry);
  opened.onmessage = (event) => opened === socket && receive(event.data);
  opened.onclose = (event) => opened === socket && lose(askedToWait(event.reason));
}

function lose(wait = backoff(attempt)) {
  socket?.close();
  socket = null;
  pinged = false;
  if (attempt > 0 && state !== "polling") setState("offline");
  else if (state === "live") setState("connecting");
  retry = setTimeout(connect, wait);
  attempt += 1;
}

function receive(frame) {
  const message = JSON.parse(frame);
  setState("live");
  attempt = 0; // not on open: a server that accepts and then closes would be asked again and again
  pinged = false;
  if (message.type === "audit-update") {
    serverAhead = Date.parse(message.timestamp) - Date.now() || 0;
    if (isText(message.server)) page.server.textContent = message.server;
    show(message.data);
    setTimeout(checkStatus, Math.random() * 1000); // spread: every page gets an update at the same moment
  } else if (message.type === "error" && shown === null) {
    page["waiting-title"].textContent = "Waiting for the first report";
    page["waiting-reason"].textContent = "It appears here by itself.";
  }
}

function ping() {
  if (state !== "live") return;
  if (pinged) return lose();
  pinged = true;
  socket.send('{"type":"ping"}');
}

async function poll() {
  if (document.hidden) return;
  checkStatus();
  if (state === "live") return;
  const report = await getJson(`audit${query}`).catch(() => null);
  if (state === "live") return; // what came meanwhile over the socket is newer
  setState(report ? "polling" : "offline");
  show(report);
}

page.subject.hidden = channel !== null; // until it is known what the report is
for (const link of document.querySelectorAll("[data-of-channel]")) link.href += query;
page.filter.addEventListener("input", showRows);
addEventListener("online", () => { if (!socket) connect(); });
document.addEventListener("visibilitychange", poll);
setInterval(showAge, 1000);
setInterval(poll, POLL_MS);
setInterval(ping, PING_MS);
connect();
checkStatus();
