// What the gateway's status tells beside the report: the banner, what is odd about the report, the other channels.

import { durationOf, isText, lineOf } from "./words.js";

const $ = (id) => document.getElementById(id);

let dueAt = NaN; // ms; NaN unless the report is overdue

/** Shows a status; `hasReport`: whether there is a report on the page. */
export function showStatus(status, hasReport) {
  const sentence = status.status === "degraded" ? bannerOf(status, hasReport) : "";
  if ($("banner-text").textContent !== sentence) $("banner-text").textContent = sentence;
  $("banner").hidden = sentence === "";
  dueAt = status.source?.state === "overdue" ? Date.parse(status.source.dueAt) : NaN;
  showFindings(status.report?.findings ?? []);
  showChannels(status);
}

/** Shows how late the report is; not announced by a screen reader, which could say nothing else then. */
export function showLateness(now) {
  const late = Math.max(0, (now - dueAt) / 1000);
  $("late").textContent = Number.isNaN(late) ? "" : `Late by ${durationOf(Math.floor(late))}.`;
}

function bannerOf({ source, stale, reasons }, hasReport) {
  const reason = isText(source?.reason) ? `: ${source.reason}` : "";
  const below = hasReport ? "Below is the last good report." : "There is no good report yet.";
  if (stale) return `The gateway has lost its broker; ${hasReport ? "what is below may be out of date" : "the report appears here once it answers"}.`;
  if (source?.state === "rejected") return `The file's present content is not served${reason}. ${below}`;
  if (source?.state === "waiting") return `The report file is being waited for${reason}. ${hasReport ? below : ""}`;
  if (source?.state === "overdue") return overdueOf(source, hasReport);
  return `The service is degraded: ${lineOf(reasons) || "it does not say why"}.`;
}

function overdueOf({ expectedEveryS }, hasReport) {
  const cadence = typeof expectedEveryS === "number" ? `: one is expected every ${durationOf(expectedEveryS)}` : "";
  return `The report is overdue${cadence}.${hasReport ? " Below is the last one." : ""}`;
}

let found = "[]";

function showFindings(findings) {
  if (JSON.stringify(findings) === found) return; // a live region: the same words are not said again
  found = JSON.stringify(findings);
  $("findings").hidden = findings.length === 0;
  const many = findings.length === 1 ? "one thing is odd" : `${findings.length} things are odd`;
  $("findings-title").textContent = findings.length ? `This report is valid, but ${many} about it.` : "";
  $("findings-list").replaceChildren(...findings.map(({ message }) => {
    const item = document.createElement("li");
    item.textContent = message; // it says where
    return item;
  }));
}

function showChannels({ channel, channels = {} }) {
  const names = Object.keys(channels);
  $("channels").hidden = names.length < 2;
  const had = [...$("channels").children];
  if (names.join() !== had.map((link) => link.dataset.channel).join()) $("channels").replaceChildren(...names.map(makeLink));
  for (const link of $("channels").children) {
    if (link.dataset.channel === channel) link.setAttribute("aria-current", "page");
    link.dataset.condition = channels[link.dataset.channel];
    link.lastElementChild.textContent = channels[link.dataset.channel] === "healthy" ? "" : " (degraded)";
  }
}

function makeLink(name) {
  const link = document.createElement("a");
  link.href = `?${new URLSearchParams({ channel: name })}`;
  link.dataset.channel = name;
  const condition = document.createElement("span");
  condition.className = "unseen";
  link.append(name, condition);
  return link;
}
